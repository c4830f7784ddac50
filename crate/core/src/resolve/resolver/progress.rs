//! How far a resolution is.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::name::PackageName;
use crate::resolve::candidates::Listing;
use crate::resolve::explain::Reason;
use crate::resolve::search::{NodeId, Search};

/// The node of what the user requires.
pub const ROOT: NodeId = 0;

/// A search under way. It starts anew when demands are found that change the list of a distribution it has used.
pub struct Progress {
    /// Decides.
    pub search: Search<Reason>,
    /// In the order in which they were met; the root is not among them, so that the first is node 1.
    pub packages: Vec<Package>,
    /// By distribution and extra.
    pub nodes: HashMap<(PackageName, Option<String>), NodeId>,
    /// Nodes and values whose requirements the search knows. The root's are known from the start.
    pub expanded: HashSet<(NodeId, usize)>,
}

/// A distribution, or an extra of one.
pub struct Package {
    /// The distribution.
    pub name: PackageName,
    /// The extra, if it is one.
    pub extra: Option<String>,
    /// What its values are.
    pub listing: Rc<Listing>,
}

impl Progress {
    /// A search for nothing yet.
    pub fn new() -> Self {
        Self { search: Search::new(), packages: Vec::new(), nodes: HashMap::new(), expanded: HashSet::new() }
    }

    /// What a node stands for; not the root.
    pub fn package(&self, node: NodeId) -> &Package {
        &self.packages[node - 1]
    }

    /// The distributions that are needed and not decided on, in the order in which they were met, with the best of
    /// what is possible.
    pub fn open(&self) -> impl Iterator<Item = (NodeId, usize)> {
        self.packages.iter().enumerate().filter_map(|(index, package)| {
            let node = index + 1;
            let domain = self.search.domain(node);
            let is_open = !self.search.is_decided(node) && !domain.contains(package.listing.absent());
            Some((node, domain.first()?)).filter(|_| is_open)
        })
    }
}
