//! Objects that do not exist and will not, so that what builds on them need not be tried.

use std::collections::BTreeSet;

use super::{Action, Object};

/// Objects that are out of reach: in conflict, or their creation failed.
#[derive(Debug, Default)]
pub(super) struct Poison(BTreeSet<Object>);

impl Poison {
    /// Puts an object out of reach.
    pub(super) fn add(&mut self, object: Object) {
        self.0.insert(object);
    }

    /// Whether an action has no chance. What it would have made is then out of reach too.
    pub(super) fn hits(&mut self, action: &Action) -> bool {
        let hit = action.needs().iter().chain(&action.makes()).any(|object| self.contains(object));
        if hit {
            self.0.extend(action.makes());
        }
        hit
    }

    fn contains(&self, object: &Object) -> bool {
        self.0.contains(object)
            || matches!(object, Object::Link(place, _) if self.0.contains(&Object::Place(place.clone())))
    }
}
