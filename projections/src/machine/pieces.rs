//! Pieces of texts, so that any part of a name or number is found by index, on both databases alike: beside a table that is
//! searched stands one with a row for each piece of each text. Every list of rows that have a piece is there in the order of
//! their identifiers, newest rows last, so a page of what a short text finds is read off without sorting, and a long text
//! is looked for among those that have its rarest piece.
//!
//! A piece is three or four characters that follow each other, of a number only four (and its last three: what has three
//! digits has them with any digit or nothing after them), and the first one or two of each word.

use super::{column::clean, record::table};
use domain::Sid;
use std::collections::BTreeSet;

/// Fewer characters are looked for at the beginnings of words only.
pub(crate) const SHORTEST: usize = 3;
/// The longest piece.
const LONGEST: usize = 4;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Digits only; several spellings of a number are separated by blanks.
    Digits,
    /// A name as names are compared ([`domain::name::folded`]).
    Name,
    /// Where a network lies; it is one piece.
    Place,
}

/// A text of a row that is found by its pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Whose row it is.
    pub carrier: Sid,
    /// What it is.
    pub field: Field,
    /// The text, as it is looked for.
    pub text: String,
}

/// A piece of a row's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    pub(crate) carrier: Sid,
    pub(crate) piece: String,
    pub(crate) sid: Sid,
    /// The whole text, to look for more than the piece in it.
    pub(crate) text: String,
}

table!(Piece: "pieces" v 1, key [carrier, piece, sid], columns [carrier, piece, sid, text], indexes []);

/// The table of pieces beside a table, or a view.
pub(crate) fn beside(table: &str) -> String {
    format!("{table}_pieces")
}

impl Field {
    /// Pieces of names and numbers are in one table.
    fn mark(self) -> char {
        match self {
            Field::Digits => '#',
            Field::Name => '@',
            Field::Place => '%',
        }
    }

    /// The pieces of a text.
    fn pieces(self, text: &str) -> BTreeSet<String> {
        let mut pieces = BTreeSet::new();
        if self == Field::Place {
            pieces.insert(self.whole(text));
            return pieces;
        }
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            pieces.extend((1..SHORTEST).filter_map(|length| Some(self.beginning(&first(word, length)?))));
        }
        let parts: Vec<&str> = match self {
            Field::Digits => text.split(' ').collect(),
            Field::Name | Field::Place => vec![text],
        };
        for part in parts {
            let letters: Vec<char> = part.chars().collect();
            pieces.extend(letters.windows(LONGEST).map(|piece| self.inside(piece)));
            let short = letters.windows(SHORTEST);
            match self {
                Field::Digits => pieces.extend(short.last().map(|piece| self.inside(piece))),
                Field::Name | Field::Place => pieces.extend(short.map(|piece| self.inside(piece))),
            }
        }
        pieces
    }

    fn beginning(self, letters: &str) -> String {
        format!("{}^{letters}", self.mark())
    }

    /// The piece that a text is as a whole.
    pub(crate) fn whole(self, text: &str) -> String {
        format!("{}{text}", self.mark())
    }

    fn inside(self, letters: &[char]) -> String {
        std::iter::once(self.mark()).chain(letters.iter().copied()).collect()
    }

    /// The pieces that `text` may be looked for by: the rows of each list together are all that can have it.
    pub(crate) fn lists(self, text: &str) -> Vec<Vec<String>> {
        let letters: Vec<char> = text.chars().collect();
        match letters.len() {
            0 => Vec::new(),
            1..SHORTEST => vec![vec![self.beginning(text)]],
            SHORTEST if self == Field::Digits => {
                let longer = ('0'..='9').map(|digit| format!("{}{digit}", self.inside(&letters)));
                vec![std::iter::once(self.inside(&letters)).chain(longer).collect()]
            }
            SHORTEST..=LONGEST => vec![vec![self.inside(&letters)]],
            _ => letters.windows(LONGEST).map(|piece| vec![self.inside(piece)]).collect(),
        }
    }

    /// Whether a row in a list for `text` can lack it all the same.
    pub(crate) fn needs_a_look(text: &str) -> bool {
        text.chars().count() > LONGEST
    }
}

fn first(word: &str, length: usize) -> Option<String> {
    let letters: String = word.chars().take(length).collect();
    (letters.chars().count() == length).then_some(letters)
}

impl Piece {
    /// The pieces of these texts of a row.
    pub(crate) fn all(texts: Vec<Text>, sid: &Sid) -> BTreeSet<Piece> {
        let of = |Text { carrier, field, text }: Text| {
            let text = clean(&text);
            let pieces = field.pieces(&text).into_iter();
            let sid = sid.clone();
            pieces.map(move |piece| Piece {
                carrier: carrier.clone(),
                piece,
                sid: sid.clone(),
                text: text.clone(),
            })
        };
        texts.into_iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(field: Field, text: &str) -> Vec<String> {
        field.pieces(text).into_iter().collect()
    }

    #[test]
    fn a_number_has_few_pieces() {
        assert_eq!(
            pieces(Field::Digits, "85512345 012345"),
            ["#0123", "#1234", "#2345", "#345", "#5123", "#5512", "#8551", "#^0", "#^01", "#^8", "#^85"]
        );
        assert_eq!(pieces(Field::Digits, "12"), ["#^1", "#^12"]);
    }

    #[test]
    fn a_name_has_its_blanks_in_its_pieces() {
        assert_eq!(
            pieces(Field::Name, "ab cd"),
            ["@^a", "@^ab", "@^c", "@^cd", "@ab ", "@ab c", "@b c", "@b cd", "@ cd"]
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn whatever_a_text_contains_is_in_some_list() {
        let numbers = ["85512345678 012345678", "1234", "123", "12"];
        for text in numbers {
            let has = Field::Digits.pieces(text);
            for word in text.split(' ') {
                for (from, to) in
                    (0..word.len()).flat_map(|from| (from + 1..=word.len()).map(move |to| (from, to)))
                {
                    let lists = Field::Digits.lists(&word[from..to]);
                    let found = lists.iter().all(|list| list.iter().any(|piece| has.contains(piece)));
                    assert!(found || to - from < SHORTEST && from > 0, "{text}: {}", &word[from..to]);
                }
            }
        }
    }
}
