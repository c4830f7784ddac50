//! What the search is told: what requires what, and what is never taken.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::progress::{Package, Progress};
use super::{Known, Obstacle, Resolver};
use crate::name::PackageName;
use crate::requirement::Requirement;
use crate::resolve::candidates::{Exclusion, Listing};
use crate::resolve::explain::{Dependent, Reason};
use crate::resolve::search::NodeId;
use crate::resolve::set::Set;

impl Resolver {
    /// Tells the search what a value of a node requires.
    pub(super) fn expand(&mut self, progress: &mut Progress, node: NodeId, value: usize) -> Result<(), Obstacle> {
        let package = progress.package(node);
        let version = package.listing.files[value].candidate.version.clone();
        match self.requires(progress, node, value) {
            Known::Missing(request) => return Err(Obstacle::Missing(vec![request])),
            Known::Unusable(message) => {
                let only = Set::of(package.listing.size(), [value]);
                let reason = Reason::Unusable { name: package.name.clone(), version, message };
                progress.search.add_fact([(node, only)], reason);
            }
            Known::Requires(wanted) => {
                self.known(&wanted)?;
                let extra = package.extra.as_ref().map(|extra| format!("[{extra}]"));
                let name = format!("{}{}", package.name, extra.unwrap_or_default());
                self.require(progress, node, value, &Dependent::Package { name, version }, &wanted)?;
            }
        }
        progress.expanded.insert((node, value));
        Ok(())
    }

    /// Adds the facts that a value of a node requires these.
    pub(super) fn require(
        &mut self,
        progress: &mut Progress,
        node: NodeId,
        value: usize,
        dependent: &Dependent,
        wanted: &[Requirement],
    ) -> Result<(), Obstacle> {
        let mut restart = false;
        for requirement in wanted {
            let name = &requirement.name;
            let mut is_new = self.demands.entry(name.clone()).or_default().note_url(requirement);
            let listing = self.listing(name);
            let constraints = self.options.constraints.iter().filter(|constraint| constraint.name == *name);
            let applies = |it: &&Requirement| it.applies::<&str>(&self.options.environment, &[]);
            for requirement in [requirement].into_iter().chain(constraints.filter(applies)) {
                let demands = self.demands.entry(name.clone()).or_default();
                is_new |= demands.note(requirement, &listing, &self.options);
            }
            restart |= is_new && progress.nodes.contains_key(&(name.clone(), None));
        }
        if restart {
            return Err(Obstacle::Restart);
        }
        let own = Set::of(progress.search.domain(node).size(), [value]);
        for requirement in wanted {
            let base = self.node(progress, &requirement.name, None);
            let extras: Vec<NodeId> =
                requirement.extras.iter().map(|extra| self.node(progress, &requirement.name, Some(extra))).collect();
            let listing = Rc::clone(&progress.package(base).listing);
            let allowed = listing.matching(requirement);
            let nothing = allowed.is_empty().then_some(listing);
            for target in [base].into_iter().chain(extras) {
                let reason = Reason::Requires {
                    dependent: dependent.clone(),
                    requirement: requirement.clone(),
                    nothing: nothing.clone(),
                };
                progress.search.add_fact([(node, own.clone()), (target, allowed.complement())], reason);
            }
        }
        Ok(())
    }

    fn listing(&self, name: &PackageName) -> Rc<Listing> {
        let demands = self.demands.get(name).cloned().unwrap_or_default();
        let direct = demands.urls.iter().filter_map(|url| Some((url.clone(), self.direct.get(url)?.clone())));
        let indexed = self.candidates.get(name).cloned().unwrap_or(Ok(Vec::new()));
        let preferred = self.options.preferred.get(name);
        let python = self.python.as_ref();
        Rc::new(Listing::new(&indexed, direct.collect(), &demands, preferred, &self.options, python))
    }

    /// The node of a distribution or of an extra of one, made if there is none yet.
    fn node(&self, progress: &mut Progress, name: &PackageName, extra: Option<&String>) -> NodeId {
        let key = (name.clone(), extra.cloned());
        if let Some(node) = progress.nodes.get(&key) {
            return *node;
        }
        let base = extra.map(|_| self.node(progress, name, None));
        let listing = base.map_or_else(|| self.listing(name), |base| Rc::clone(&progress.package(base).listing));
        let node = progress.search.add_node(listing.size());
        progress.nodes.insert(key, node);
        progress.packages.push(Package { name: name.clone(), extra: extra.cloned(), listing: Rc::clone(&listing) });
        if let Some(base) = base {
            for value in 0..listing.absent() {
                let only = Set::of(listing.size(), [value]);
                progress.search.add_fact([(node, only.clone()), (base, only.complement())], Reason::Extra);
            }
        } else {
            self.restrict(progress, node, name, &listing);
        }
        node
    }

    /// Adds what is never taken of a distribution.
    fn restrict(&self, progress: &mut Progress, node: NodeId, name: &PackageName, listing: &Listing) {
        let mut excluded: BTreeMap<&Exclusion, Vec<usize>> = BTreeMap::new();
        for (index, listed) in listing.files.iter().enumerate() {
            if let Some(why) = &listed.exclusion {
                excluded.entry(why).or_default().push(index);
            }
        }
        for (why, values) in excluded {
            let versions = values.iter().map(|index| listing.files[*index].candidate.version.clone()).collect();
            let reason = Reason::Excluded { name: name.clone(), versions, why: why.clone() };
            progress.search.add_fact([(node, Set::of(listing.size(), values))], reason);
        }
        let absent = Set::of(listing.size(), [listing.absent()]);
        for constraint in self.options.constraints.iter().filter(|constraint| constraint.name == *name) {
            if constraint.applies::<&str>(&self.options.environment, &[]) {
                let forbidden = listing.matching(constraint).union(&absent).complement();
                progress.search.add_fact([(node, forbidden)], Reason::Constraint(constraint.clone()));
            }
        }
    }
}
