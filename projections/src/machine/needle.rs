//! What is looked for in a column: by the pieces of it, or row by row.

use super::pieces::{Field, SHORTEST};
use domain::name;
use sea_query::{Cond, Expr, ExprTrait, LikeExpr};

/// Most characters of a text that are looked for.
const LONGEST: usize = 64;

/// What is looked for in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    field: Field,
    column: &'static str,
    /// What stands before the text in its column.
    lead: &'static str,
    pub(crate) text: String,
}

impl Needle {
    /// Part of a name; nothing is asked when there is nothing in it.
    pub(crate) fn name(column: &'static str, lead: &'static str, text: &str) -> Option<Needle> {
        let text: String = name::folded(text).chars().take(LONGEST).collect();
        (!text.is_empty()).then_some(Needle { field: Field::Name, column, lead, text })
    }

    /// Digits of a number, read as [`domain::e164::sought`] does. A text without digits is in no number.
    pub(crate) fn digits(column: &'static str, typed: &str) -> Option<Needle> {
        let text = domain::e164::sought(typed).chars().take(LONGEST).collect();
        (!typed.trim().is_empty()).then_some(Needle { field: Field::Digits, column, lead: "", text })
    }

    /// The lists of pieces it may be looked for by.
    pub(crate) fn lists(&self) -> Vec<Vec<String>> {
        self.field.lists(&self.text)
    }

    /// The same as a condition on the row itself.
    pub(crate) fn condition(&self) -> Cond {
        let like = |pattern: String| Expr::col(self.column).like(LikeExpr::new(pattern).escape('\\'));
        let (lead, text) = (self.lead, escaped(&self.text));
        match self.text.chars().count() {
            0 => Cond::any().add(Expr::val(1).eq(0)),
            1..SHORTEST => {
                Cond::any().add(like(format!("{lead}{text}%"))).add(like(format!("{lead}% {text}%")))
            }
            _ => Cond::any().add(like(format!("{lead}%{text}%"))),
        }
    }
}

/// A text as part of a pattern for `LIKE`, with `\` before what means something there.
pub(crate) fn escaped(text: &str) -> String {
    let special = |c| matches!(c, '\\' | '%' | '_');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
