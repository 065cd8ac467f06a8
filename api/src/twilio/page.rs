//! Lists in pages, as the 2010 API writes them: the first page by number, the next ones by a token.

use super::{fault::Fault, form::Form};
use projections::{MAX_PAGE, Noun, Order, Page, PageOf, Reads};
use serde_json::{Map, Value, json};

/// Rows per page when nothing is said.
const PAGE_SIZE: u32 = 50;
/// The furthest row that a page number without a token leads to: it is counted off from the start.
const FURTHEST: u32 = 100_000;
/// What page tokens begin with.
const TOKEN: &str = "PA";

/// Which page was asked for.
pub(super) struct Asked<'a> {
    path: &'a str,
    form: &'a Form,
    size: u32,
    number: u32,
    cursor: Option<String>,
}

impl<'a> Asked<'a> {
    pub fn of(path: &'a str, form: &'a Form) -> Result<Asked<'a>, Fault> {
        let size = form.parsed::<u32>("PageSize")?.unwrap_or(PAGE_SIZE).clamp(1, MAX_PAGE);
        let number = form.parsed::<u32>("Page")?.unwrap_or(0);
        let token = form.one("PageToken")?;
        let cursor = token.map(|token| token.strip_prefix(TOKEN).unwrap_or(token).to_owned());
        if cursor.is_none() && number.saturating_mul(size) > FURTHEST {
            return Err(Fault::invalid("Page is too far; follow next_page_uri"));
        }
        Ok(Asked { path, form, size, number, cursor })
    }

    /// Whether it is the first.
    pub fn is_first(&self) -> bool {
        self.number == 0 && self.cursor.is_none()
    }

    /// Reads the page.
    pub async fn read<R: Noun>(&self, reads: &Reads<R>, filter: &R::Filter) -> Result<PageOf<R>, Fault> {
        let mut cursor = self.cursor.clone();
        let skip = self.number.saturating_mul(self.size);
        if cursor.is_none() && skip > 0 {
            cursor = reads.nth(filter, skip.into()).await?;
            if cursor.is_none() {
                return Ok(PageOf { items: vec![], next: None });
            }
        }
        Ok(reads.list(filter, &Page { cursor, limit: self.size, order: Order::default() }).await?)
    }

    /// The body: the rows under `key`, and the addresses of the pages around them.
    pub fn body(&self, key: &str, rows: Vec<Value>, next: Option<String>) -> Value {
        let start = self.number.saturating_mul(self.size);
        let end = start + u32::try_from(rows.len()).unwrap_or(0).saturating_sub(1);
        let before = self.number.checked_sub(1).map(|number| self.uri(number, None));
        let after = next.map(|cursor| self.uri(self.number + 1, Some(&cursor)));
        let meta = json!({
            "first_page_uri": self.uri(0, None),
            "next_page_uri": after,
            "previous_page_uri": before,
            "uri": self.uri(self.number, self.cursor.as_deref()),
            "page": self.number,
            "page_size": self.size,
            "start": start,
            "end": if rows.is_empty() { start } else { end },
        });
        let Value::Object(mut body) = meta else { return Value::Object(Map::new()) };
        body.insert(key.to_owned(), Value::Array(rows));
        Value::Object(body)
    }

    fn uri(&self, number: u32, cursor: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.form.without_page());
        query.append_pair("PageSize", &self.size.to_string()).append_pair("Page", &number.to_string());
        if let Some(cursor) = cursor {
            query.append_pair("PageToken", &format!("{TOKEN}{cursor}"));
        }
        format!("{}?{}", self.path, query.finish())
    }
}
