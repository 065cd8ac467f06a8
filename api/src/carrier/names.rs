//! Names of accounts and trunks, put beside the SIDs of a page's rows: two questions a page instead of one a row.

use crate::App;
use domain::Sid;
use projections::{ReadError, Scope};
use std::collections::HashMap;

/// Most names kept; when there would be more, all are forgotten.
const MOST: usize = 4_000;

/// Names that were asked for already.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Sid, Option<String>>);

impl Names {
    /// Learns the names of these accounts and trunks, as far as they are not known.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn learn<'s>(
        &mut self,
        app: &App,
        scope: &Scope,
        accounts: impl Iterator<Item = &'s Sid>,
        trunks: impl Iterator<Item = &'s Sid>,
    ) -> Result<(), ReadError> {
        let (accounts, trunks) = (self.unknown(accounts), self.unknown(trunks));
        if self.0.len() + accounts.len() + trunks.len() > MOST {
            self.0.clear();
        }
        self.0.extend(accounts.iter().chain(&trunks).map(|sid| (sid.clone(), None)));
        for row in app.projections.accounts(scope.clone()).among(&accounts).await? {
            self.0.insert(row.sid, Some(row.name.to_string()));
        }
        for row in app.projections.trunks(scope.clone()).among(&trunks).await? {
            self.0.insert(row.sid, Some(row.name.to_string()));
        }
        Ok(())
    }

    /// The name, if the thing is there.
    pub(crate) fn of(&self, sid: Option<&Sid>) -> Option<String> {
        self.0.get(sid?).cloned().flatten()
    }

    /// Forgets one that may have changed.
    pub(crate) fn forget(&mut self, sid: &Sid) {
        self.0.remove(sid);
    }

    fn unknown<'s>(&self, sids: impl Iterator<Item = &'s Sid>) -> Vec<Sid> {
        let mut unknown: Vec<Sid> = sids.filter(|sid| !self.0.contains_key(*sid)).cloned().collect();
        unknown.sort();
        unknown.dedup();
        unknown
    }
}
