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
    /// The same where some of its characters may be any.
    pattern: Option<String>,
}

impl Needle {
    /// Part of a name; nothing is asked when there is nothing in it.
    pub(crate) fn name(column: &'static str, lead: &'static str, text: &str) -> Option<Needle> {
        let text: String = name::folded(text).chars().take(LONGEST).collect();
        (!text.is_empty()).then_some(Needle { field: Field::Name, column, lead, text, pattern: None })
    }

    /// Digits of a number, read as [`domain::e164::sought`] does, or with `*` for any digit. A text without either is in no
    /// number.
    pub(crate) fn digits(column: &'static str, typed: &str) -> Option<Needle> {
        let wild = typed.contains('*');
        let digits = if wild { with_any(typed) } else { domain::e164::sought(typed) };
        let text: String = digits.chars().take(LONGEST).collect();
        let pattern = wild.then(|| text.clone());
        (!typed.trim().is_empty()).then_some(Needle { field: Field::Digits, column, lead: "", text, pattern })
    }

    /// The lists of pieces it may be looked for by; of a pattern row by row.
    pub(crate) fn lists(&self) -> Vec<Vec<String>> {
        if self.pattern.is_some() { Vec::new() } else { self.field.lists(&self.text) }
    }

    /// The same as a condition on the row itself.
    pub(crate) fn condition(&self) -> Cond {
        let like = |pattern: String| Expr::col(self.column).like(LikeExpr::new(pattern).escape('\\'));
        if let Some(pattern) = &self.pattern {
            return Cond::any().add(like(format!("%{pattern}%")));
        }
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

/// Digits with what `LIKE` has for any one of them.
fn with_any(typed: &str) -> String {
    let one = |c: char| match c {
        '*' => Some('_'),
        digit => digit.is_ascii_digit().then_some(digit),
    };
    typed.chars().filter_map(one).collect()
}

/// A text as part of a pattern for `LIKE`, with `\` before what means something there.
pub(crate) fn escaped(text: &str) -> String {
    let special = |c| matches!(c, '\\' | '%' | '_');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
