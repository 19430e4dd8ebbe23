//! Where a machine puts what follows from its input.

/// Takes effects, in order. Whoever tests a machine collects them in a vector; whoever runs it
/// carries each out as it comes.
pub trait Effects<E> {
    /// Takes the next effect.
    fn push(&mut self, effect: E);
}

impl<E> Effects<E> for Vec<E> {
    fn push(&mut self, effect: E) {
        Vec::push(self, effect);
    }
}
