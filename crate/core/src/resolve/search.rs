//! The search for values of nodes that contradict no fact, by conflict-driven learning as in `PubGrub`.
//!
//! A node has one of finitely many values. A fact is a set of terms, "this node has one of these values", that are not
//! all true. When all terms of a fact become true, the fact that is the cause of it is derived from the facts
//! involved, and the search goes back to where that one first excludes something. No mistake is made twice.

use std::collections::BTreeSet;

use super::set::Set;

pub(super) type NodeId = usize;

/// Index of a fact, those derived included.
pub(super) type FactId = usize;

struct Node {
    /// The values that are still possible.
    domain: Set,
    /// Indexes of the assignments to this node.
    history: Vec<usize>,
    /// The facts that speak of this node.
    facts: Vec<FactId>,
    decided: bool,
}

struct Fact<R> {
    /// At most one for each node.
    terms: Vec<(NodeId, Set)>,
    cause: Cause<R>,
}

enum Cause<R> {
    Given(R),
    Derived(FactId, FactId),
}

/// A step in which the possible values of a node became fewer.
struct Assignment {
    node: NodeId,
    before: Set,
    after: Set,
    /// The values that the step leaves; `after` is `before` with only these.
    allowed: Set,
    level: usize,
    /// The fact that it follows from; `None` for a decision.
    cause: Option<FactId>,
}

pub(super) struct Search<R> {
    nodes: Vec<Node>,
    facts: Vec<Fact<R>>,
    trail: Vec<Assignment>,
    level: usize,
    /// Nodes whose facts have to be looked at.
    changed: BTreeSet<NodeId>,
}

enum State {
    /// All terms are true.
    Violated,
    /// All terms but this one are true.
    Unit(usize),
    Open,
}

impl<R> Search<R> {
    /// A search with one node, the root, which is 0 and has the value 0 of two.
    pub(super) fn new() -> Self {
        let mut search =
            Self { nodes: Vec::new(), facts: Vec::new(), trail: Vec::new(), level: 0, changed: BTreeSet::new() };
        let root = search.add_node(2);
        search.nodes[root].decided = true;
        search.assign(root, Set::of(2, [0]), None);
        search
    }

    pub(super) fn add_node(&mut self, size: usize) -> NodeId {
        self.nodes.push(Node { domain: Set::full(size), history: Vec::new(), facts: Vec::new(), decided: false });
        self.nodes.len() - 1
    }

    /// Values of the node that nothing excludes so far.
    pub(super) fn domain(&self, node: NodeId) -> &Set {
        &self.nodes[node].domain
    }

    pub(super) fn is_decided(&self, node: NodeId) -> bool {
        self.nodes[node].decided
    }

    /// Adds that the terms are not all true.
    pub(super) fn add_fact(&mut self, terms: impl IntoIterator<Item = (NodeId, Set)>, reason: R) {
        self.add(terms, Cause::Given(reason));
    }

    /// Gives a node a value, for now.
    pub(super) fn decide(&mut self, node: NodeId, value: usize) {
        self.level += 1;
        self.nodes[node].decided = true;
        let only = Set::of(self.nodes[node].domain.size(), [value]);
        self.assign(node, only, None);
    }

    /// Draws all conclusions, going back on decisions where needed. `Err` is a fact that can never be: there is no
    /// solution.
    pub(super) fn propagate(&mut self) -> Result<(), FactId> {
        while let Some(node) = self.changed.pop_first() {
            for index in (0..self.nodes[node].facts.len()).rev() {
                let fact = self.nodes[node].facts[index];
                match self.state(fact) {
                    State::Violated => {
                        self.changed.insert(node);
                        self.resolve_conflict(fact)?;
                        break;
                    }
                    State::Unit(term) => {
                        let (node, set) = &self.facts[fact].terms[term];
                        let (node, allowed) = (*node, set.complement());
                        self.assign(node, allowed, Some(fact));
                    }
                    State::Open => {}
                }
            }
        }
        Ok(())
    }

    /// The given facts that a derived one follows from, in the order in which they were added.
    pub(super) fn reasons(&self, fact: FactId) -> Vec<&R> {
        let mut given = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![fact];
        while let Some(fact) = open.pop() {
            if !seen.insert(fact) {
                continue;
            }
            match self.facts[fact].cause {
                Cause::Given(_) => drop(given.insert(fact)),
                Cause::Derived(left, right) => open.extend([left, right]),
            }
        }
        given
            .into_iter()
            .filter_map(|fact| match &self.facts[fact].cause {
                Cause::Given(reason) => Some(reason),
                Cause::Derived(..) => None,
            })
            .collect()
    }

    fn add(&mut self, terms: impl IntoIterator<Item = (NodeId, Set)>, cause: Cause<R>) -> FactId {
        let mut merged: Vec<(NodeId, Set)> = Vec::new();
        for (node, set) in terms {
            match merged.iter_mut().find(|(other, _)| *other == node) {
                Some((_, other)) => *other = other.intersection(&set),
                None => merged.push((node, set)),
            }
        }
        merged.retain(|(_, set)| !set.is_full());
        let fact = self.facts.len();
        // A fact with a term that is never true says nothing.
        if merged.iter().all(|(_, set)| !set.is_empty()) {
            for (node, _) in &merged {
                self.nodes[*node].facts.push(fact);
                self.changed.insert(*node);
            }
        }
        self.facts.push(Fact { terms: merged, cause });
        fact
    }

    fn assign(&mut self, node: NodeId, allowed: Set, cause: Option<FactId>) {
        let before = self.nodes[node].domain.clone();
        let after = before.intersection(&allowed);
        self.nodes[node].domain = after.clone();
        self.nodes[node].history.push(self.trail.len());
        self.trail.push(Assignment { node, before, after, allowed, level: self.level, cause });
        self.changed.insert(node);
    }

    fn state(&self, fact: FactId) -> State {
        let mut open = None;
        for (index, (node, set)) in self.facts[fact].terms.iter().enumerate() {
            let domain = &self.nodes[*node].domain;
            if domain.is_subset_of(set) {
                continue;
            }
            if open.is_some() || domain.is_disjoint_from(set) {
                return State::Open;
            }
            open = Some(index);
        }
        open.map_or(State::Violated, State::Unit)
    }

    /// The assignment by which a node came to have one of the values, which it has.
    fn satisfier(&self, node: NodeId, set: &Set) -> usize {
        let first = self.nodes[node].history.iter().find(|index| self.trail[**index].after.is_subset_of(set));
        first.copied().unwrap_or(0)
    }

    /// Derives why a fact is violated and goes back to where the derived fact excludes something.
    fn resolve_conflict(&mut self, mut fact: FactId) -> Result<(), FactId> {
        loop {
            let satisfiers: Vec<usize> =
                self.facts[fact].terms.iter().map(|(node, set)| self.satisfier(*node, set)).collect();
            let Some(last) = satisfiers.iter().copied().max().filter(|last| *last > 0) else { return Err(fact) };
            let assignment = &self.trail[last];
            let node = assignment.node;
            let mut previous = satisfiers.iter().filter(|index| **index != last).copied().max();
            let own = self.facts[fact].terms.iter().find(|(other, _)| *other == node);
            if let Some((_, set)) = own
                && !assignment.allowed.is_subset_of(set)
            {
                // The assignment alone does not make the term true: earlier ones take the other values away.
                let rest = self.satisfier(node, &set.union(&assignment.allowed.complement()));
                previous = previous.max(Some(rest));
            }
            let level = previous.map_or(0, |index| self.trail[index].level);
            let Some(cause) = assignment.cause.filter(|_| level == assignment.level) else {
                self.go_back(level);
                self.changed.extend(self.facts[fact].terms.iter().map(|(node, _)| *node));
                return Ok(());
            };
            fact = self.combine(fact, cause, node);
        }
    }

    /// What follows from two facts whatever value `node` has.
    fn combine(&mut self, left: FactId, right: FactId, node: NodeId) -> FactId {
        let of = |fact: FactId| self.facts[fact].terms.iter().cloned();
        let both = of(left).chain(of(right));
        let mut terms: Vec<_> = both.clone().filter(|(other, _)| *other != node).collect();
        let sets: Vec<Set> = both.filter(|(other, _)| *other == node).map(|(_, set)| set).collect();
        if let [left, right] = &sets[..] {
            terms.push((node, left.union(right)));
        }
        self.add(terms, Cause::Derived(left, right))
    }

    fn go_back(&mut self, level: usize) {
        while let Some(assignment) = self.trail.pop_if(|assignment| assignment.level > level) {
            let node = &mut self.nodes[assignment.node];
            node.domain = assignment.before;
            node.history.pop();
            node.decided &= assignment.cause.is_some();
            self.changed.insert(assignment.node);
        }
        self.level = level;
    }
}
