//! The store for the secrets of a profile: the choice, and the commands of another program.

use super::state::{Item, SaveProfile};
use crate::profile::store_kind::{Store, StoreKind};
use crate::quote;
use crate::tui::screen::ViewContext;

/// Why a command can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Missing,
    /// A quotation mark is unclosed.
    Quotation,
}

impl SaveProfile {
    /// Returns the store that is shown as selected.
    pub(super) fn kind(&self, cx: ViewContext<'_>) -> StoreKind {
        let offered = StoreKind::offered(self.draft.machine);
        let default = || offered.first().copied().unwrap_or(StoreKind::File);
        match self.draft.store {
            Some(kind) if offered.contains(&kind) => kind,
            Some(_) => default(),
            None => self.stored(cx).map_or_else(default, Store::kind),
        }
    }

    /// Returns the store of the existing profile with this name.
    pub(super) fn stored<'a>(&self, cx: ViewContext<'a>) -> Option<&'a Store> {
        self.existing(cx)?.store.as_ref()
    }

    /// Returns the command in one of the two fields.
    pub(super) fn command(&self, item: &Item, cx: ViewContext<'_>) -> String {
        let [read, write] = match self.draft.store {
            Some(_) => [self.draft.read.clone(), self.draft.write.clone()],
            None => self
                .stored(cx)
                .map(Store::command_lines)
                .unwrap_or_default(),
        };
        match item {
            Item::Write => write,
            _ => read,
        }
    }

    /// Splits a command into its words.
    pub(super) fn words(&self, item: &Item, cx: ViewContext<'_>) -> Result<Vec<String>, Wrong> {
        let words = quote::split(&self.command(item, cx)).ok_or(Wrong::Quotation)?;
        if words.is_empty() {
            return Err(Wrong::Missing);
        }
        Ok(words)
    }

    /// Copies the choice of the existing profile before the user changes it.
    fn begin(&mut self, cx: ViewContext<'_>) {
        if self.draft.store.is_none() {
            self.draft.read = self.command(&Item::Read, cx);
            self.draft.write = self.command(&Item::Write, cx);
            self.draft.store = Some(self.kind(cx));
        }
    }

    /// Selects the next or the previous store.
    pub(super) fn choose_store(&mut self, by: isize, cx: ViewContext<'_>) {
        self.begin(cx);
        let offered = StoreKind::offered(self.draft.machine);
        let now = self.kind(cx);
        let at = offered.iter().position(|kind| *kind == now).unwrap_or(0);
        let count = offered.len().cast_signed();
        let next = (at.cast_signed() + by).rem_euclid(count.max(1));
        self.draft.store = offered.get(next.cast_unsigned()).copied();
    }

    /// Sets a command.
    pub(super) fn set_command(&mut self, item: &Item, text: &str, cx: ViewContext<'_>) {
        self.begin(cx);
        let line = match item {
            Item::Write => &mut self.draft.write,
            _ => &mut self.draft.read,
        };
        text.clone_into(line);
    }

    /// Returns the store, if the user has chosen one.
    ///
    /// # Errors
    /// Returns the field as an error if its command can't be used.
    pub(super) fn chosen_store(&self, cx: ViewContext<'_>) -> Result<Option<Store>, Item> {
        if self.draft.store.is_none() {
            return Ok(None);
        }
        let kind = self.kind(cx);
        let words = |item: Item| match kind {
            StoreKind::Command => self.words(&item, cx).map_err(|_| item),
            _ => Ok(Vec::new()),
        };
        let (read, write) = (words(Item::Read)?, words(Item::Write)?);
        Ok(Store::new(kind, read, write).ok())
    }
}
