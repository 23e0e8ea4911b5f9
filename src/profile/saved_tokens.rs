//! What happened to the tokens when a profile was saved.

/// What a profile has after its settings were saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedTokens {
    /// The tokens that were saved, those that it had, or none.
    Fine,
    /// Newer tokens than those that were to be saved.
    Newer,
    /// Tokens that can't be used: they were issued for another value of this setting.
    Unfit(&'static str),
}
