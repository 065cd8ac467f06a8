//! Lists in pages, in any order an index serves, of what has a piece of text in it; and how many there are.

use super::{
    error::ReadError,
    needle::{Needle, escaped},
    order::Order,
    pieces::{self, Field},
    reads::{Noun, Reads, all},
    record::{self, is},
    scope::{Page, PageOf},
};
use domain::Sid;
use sea_query::{Cond, Expr, ExprTrait, LikeExpr, Query, SelectStatement, UnionType};
use store::{Searching, padded};

/// The most a total is counted to; there may be more.
pub const MOST_COUNTED: u32 = 10_000;
/// Rows looked at for a total where some filter has no index.
const MOST_EXAMINED: u64 = 20_000;
/// Rows other filters leave that are looked through one by one instead of going by the text's pieces.
const FEW: u64 = 2_000;
/// Found rows that are put into another order than that of their identifiers; more are common enough to be met in that
/// order.
const SORTED: u64 = 4_000;
/// Pieces of a long text that are compared for the rarest, and how far each is counted.
const COMPARED: usize = 6;
const COUNTED: u64 = 256;
/// Most rows that are tried at once.
const TRIED: usize = 1_000;

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// So many at least.
    pub count: u32,
    /// Whether there are no more.
    pub exact: bool,
}

/// How the rows of a list are found.
enum Found {
    /// By the table's own indexes.
    ByIndex,
    /// By the lists of these pieces, together.
    ByPieces(Needle, Vec<String>),
}

impl<R: Noun> Reads<R> {
    /// The rows a filter asks for, newest first unless the page says otherwise.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn list(&self, filter: &R::Filter, page: &Page) -> Result<PageOf<R>, ReadError> {
        let _turn = self.turn(filter).await?;
        match (self.way(filter).await?, R::ordered(page.order.by)) {
            (Found::ByPieces(needle, list), None) => self.through(filter, page, (&needle, &list)).await,
            (Found::ByPieces(needle, list), Some(_)) => {
                let sids = self.sids((&needle, &list), None, Order::default(), SORTED);
                let sids: Vec<Sid> = self.read_sids(&sids).await?;
                let mut select = self.wanted(filter, page)?;
                if sids.len() < usize::try_from(SORTED).unwrap_or(usize::MAX) {
                    select.and_where(Expr::col("sid").is_in(padded(sids.iter().map(Sid::as_str))));
                }
                self.page_of(select, page).await
            }
            (Found::ByIndex, _) => self.page_of(self.wanted(filter, page)?, page).await,
        }
    }

    /// A page, and how many rows there are in all when it is the first one.
    ///
    /// # Errors
    /// As [`Reads::list`].
    pub async fn counted(
        &self,
        filter: &R::Filter,
        page: &Page,
    ) -> Result<(PageOf<R>, Option<Total>), ReadError> {
        if page.cursor.is_some() {
            return Ok((self.list(filter, page).await?, None));
        }
        let (rows, total) = tokio::try_join!(self.list(filter, page), self.total(filter))?;
        Ok((rows, Some(total)))
    }

    /// How many rows a filter asks for, counted to [`MOST_COUNTED`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn total(&self, filter: &R::Filter) -> Result<Total, ReadError> {
        let _turn = self.turn(filter).await?;
        let (narrow, rest) = (R::served(filter), self.rest(filter));
        match self.way(filter).await? {
            Found::ByIndex => total(&self.db, R::NAME, (self.scope.condition().add(narrow), rest)).await,
            Found::ByPieces(needle, list) => {
                let mut sids = Query::select();
                sids.distinct().column("sid").from(pieces::beside(R::NAME));
                sids.cond_where(self.has(&needle, &list)).limit(u64::from(MOST_COUNTED) + 1);
                let mut asked = self.scope.condition().add(narrow).add(R::rest(filter));
                if let Some(others) = R::needles(filter).get(1..) {
                    asked = others.iter().fold(asked, |asked, needle| asked.add(needle.condition()));
                }
                if self.scope.is_whole() && R::asks_nothing_else(filter) {
                    return Ok(capped(count(&self.db, sids).await?, u64::from(MOST_COUNTED)));
                }
                let all = count(&self.db, sids.clone()).await?;
                let mut select = Query::select();
                select.expr(Expr::val(1)).from(R::NAME).cond_where(asked);
                select.and_where(Expr::col("sid").in_subquery(sids));
                let found = count(&self.db, select).await?;
                Ok(Total { exact: all <= i64::from(MOST_COUNTED), ..capped(found, u64::from(MOST_COUNTED)) })
            }
        }
    }

    /// The identifier of the nth row (from 1) a filter asks for, newest first: the cursor of the page after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nth(&self, filter: &R::Filter, nth: u64) -> Result<Option<String>, ReadError> {
        let mut page = Page::first(crate::MAX_PAGE);
        let mut left = usize::try_from(nth).unwrap_or(usize::MAX);
        if matches!(self.way(filter).await?, Found::ByIndex) {
            let _turn = self.turn(filter).await?;
            let mut select = self.wanted(filter, &page)?;
            select.clear_selects().column("sid").limit(1).offset(nth.saturating_sub(1));
            return Ok(self.db.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()?);
        }
        loop {
            let rows = self.list(filter, &page).await?;
            if let Some(row) = left.checked_sub(1).and_then(|last| rows.items.get(last)) {
                return Ok(Some(row.sid().to_string()));
            }
            let Some(next) = rows.next else { return Ok(None) };
            (left, page) = (left - rows.items.len(), Page::after(next, crate::MAX_PAGE));
        }
    }

    /// A turn at searching, for a filter that needs one.
    async fn turn(&self, filter: &R::Filter) -> Result<Option<Searching>, ReadError> {
        if self.rest(filter).is_empty() {
            return Ok(None);
        }
        Ok(Some(self.db.turn_to_search().await?))
    }

    /// The query of a list that goes by the table's own indexes.
    pub(crate) fn wanted(&self, filter: &R::Filter, page: &Page) -> Result<SelectStatement, ReadError> {
        let mut select = record::select::<R>(R::NAME);
        select.cond_where(self.scope.condition().add(R::served(filter)).add(self.rest(filter)));
        page.order.sort::<R>(&mut select, page.cursor.as_deref())?;
        Ok(select)
    }

    /// What no index is asked for.
    fn rest(&self, filter: &R::Filter) -> Cond {
        let needles = R::needles(filter).into_iter().map(|needle| needle.condition());
        needles.fold(R::rest(filter), Cond::add)
    }

    /// How to find the rows of a list: by the rarest piece, unless other filters leave few.
    async fn way(&self, filter: &R::Filter) -> Result<Found, ReadError> {
        let Some(needle) = R::needles(filter).into_iter().next() else { return Ok(Found::ByIndex) };
        let lists = needle.lists();
        if !R::SEARCHED || lists.is_empty() {
            return Ok(Found::ByIndex);
        }
        if !(self.scope.is_whole() && R::served(filter).is_empty()) {
            let mut few = Query::select();
            few.expr(Expr::val(1)).from(R::NAME);
            few.cond_where(self.scope.condition().add(R::served(filter))).limit(FEW);
            if count(&self.db, few).await? < i64::try_from(FEW).unwrap_or(i64::MAX) {
                return Ok(Found::ByIndex);
            }
        }
        let list = self.rarest(lists).await?;
        Ok(Found::ByPieces(needle, list))
    }

    /// The shortest of some lists, the last ones being likelier to be short.
    async fn rarest(&self, mut lists: Vec<Vec<String>>) -> Result<Vec<String>, ReadError> {
        let step = lists.len().div_ceil(COMPARED);
        lists.reverse();
        let mut compared: Vec<Vec<String>> = lists.into_iter().step_by(step.max(1)).collect();
        if compared.len() < 2 {
            return Ok(compared.pop().unwrap_or_default());
        }
        let mut counts = compared.iter().enumerate().map(|(at, list)| {
            let mut some = Query::select();
            some.expr(Expr::val(1)).from(pieces::beside(R::NAME)).cond_where(self.with(list)).limit(COUNTED);
            let mut counted = Query::select();
            counted.expr(Expr::val(i64::try_from(at).unwrap_or(0)));
            counted.expr(Expr::col(sea_query::Asterisk).count()).from_subquery(some, "some");
            counted
        });
        let Some(mut all) = counts.next() else { return Ok(Vec::new()) };
        for other in counts {
            all.union(UnionType::All, other);
        }
        let mut best = (i64::MAX, 0);
        for row in self.db.fetch_all(&all).await? {
            let (at, count): (i64, i64) = (row.at(0)?, row.at(1)?);
            best = best.min((count, usize::try_from(at).unwrap_or(0)));
        }
        Ok(compared.swap_remove(best.1))
    }

    /// The pieces of these lists.
    fn with(&self, list: &[String]) -> Cond {
        let carrier = is("carrier", self.scope.carrier().as_str());
        let piece = match list {
            [only] => is("piece", only.as_str()),
            several => Expr::col("piece").is_in(several),
        };
        Cond::all().add(carrier).add(piece)
    }

    /// Those of them whose text has the needle.
    fn has(&self, needle: &Needle, list: &[String]) -> Cond {
        let pattern = || LikeExpr::new(format!("%{}%", escaped(&needle.text))).escape('\\');
        let look = Field::needs_a_look(&needle.text).then(|| Expr::col("text").like(pattern()));
        self.with(list).add_option(look)
    }

    /// The identifiers in some lists, in their order, each once.
    fn sids(
        &self,
        (needle, list): (&Needle, &[String]),
        after: Option<&Sid>,
        order: Order,
        limit: u64,
    ) -> SelectStatement {
        let one = |piece: &String| {
            let mut one = Query::select();
            one.column("sid").from(pieces::beside(R::NAME));
            one.cond_where(self.has(needle, std::slice::from_ref(piece)));
            if let Some(after) = after {
                one.and_where(order.beyond("sid", after.as_str()));
            }
            one.order_by("sid", order.way()).limit(limit).to_owned()
        };
        if let [only] = list {
            return one(only);
        }
        let mut each = list
            .iter()
            .map(|piece| Query::select().column("sid").from_subquery(one(piece), "one").to_owned());
        let mut together = each.next().unwrap_or_default();
        for other in each {
            together.union(UnionType::Distinct, other);
        }
        together.order_by("sid", order.way()).limit(limit).to_owned()
    }

    async fn read_sids(&self, select: &SelectStatement) -> Result<Vec<Sid>, ReadError> {
        let rows = self.db.fetch_all(select).await?;
        let sid = |row: &store::Row| {
            let text: String = row.at(0)?;
            let damaged = |_| ReadError::Damaged {
                table: R::NAME,
                column: "sid",
                reason: "a piece is of no row".into(),
            };
            text.parse().map_err(damaged)
        };
        rows.iter().map(sid).collect()
    }

    /// A page of what is in these lists, in the order of the identifiers.
    async fn through(
        &self,
        filter: &R::Filter,
        page: &Page,
        found: (&Needle, &[String]),
    ) -> Result<PageOf<R>, ReadError> {
        let size = page.size();
        let (mut items, mut after) = (Vec::new(), page.sid()?);
        if self.scope.is_whole() && R::asks_nothing_else(filter) {
            let sids = self.sids(found, after.as_ref(), page.order, size as u64 + 1);
            let mut select = record::select::<R>(R::NAME);
            select.cond_where(self.scope.condition()).and_where(Expr::col("sid").in_subquery(sids));
            select.order_by("sid", page.order.way());
            return self.page_of(select, page).await;
        }
        let mut tried = Ord::clamp(size * 4, size + 1, Ord::max(TRIED, size + 1));
        loop {
            let sids = self.sids(found, after.as_ref(), page.order, tried as u64);
            let sids = self.read_sids(&sids).await?;
            let wanted = Expr::col("sid").is_in(padded(sids.iter().map(Sid::as_str)));
            let mut select = record::select::<R>(R::NAME);
            select.cond_where(self.scope.condition().add(R::served(filter)).add(self.rest(filter)));
            select.and_where(wanted).order_by("sid", page.order.way());
            if !sids.is_empty() {
                items.extend(all::<R>(&self.db, &select).await?);
            }
            if items.len() > size || sids.len() < tried {
                return Ok(self.cut(items, page));
            }
            after = sids.into_iter().next_back();
            tried = Ord::clamp(tried * 2, 1, Ord::max(TRIED, size + 1));
        }
    }

    async fn page_of(&self, mut select: SelectStatement, page: &Page) -> Result<PageOf<R>, ReadError> {
        let items = all(&self.db, select.limit(page.size() as u64 + 1)).await?;
        Ok(self.cut(items, page))
    }

    /// A row more than asked for tells whether there is another page.
    fn cut(&self, mut items: Vec<R>, page: &Page) -> PageOf<R> {
        let more = items.len() > page.size();
        items.truncate(page.size());
        let next = items.last().filter(|_| more).map(|row| page.order.cursor(row));
        PageOf { items, next }
    }
}

/// How many rows of a table are as an index finds them, and as must be looked at.
pub(crate) async fn total(
    db: &store::Db,
    table: &'static str,
    (served, rest): (Cond, Cond),
) -> Result<Total, ReadError> {
    let most = u64::from(MOST_COUNTED);
    if rest.is_empty() {
        let mut some = Query::select();
        some.expr(Expr::val(1)).from(table).cond_where(served).limit(most + 1);
        return Ok(capped(count(db, some).await?, most));
    }
    let mut newest = Query::select();
    newest.column(sea_query::Asterisk).from(table).cond_where(served).limit(MOST_EXAMINED + 1);
    let mut some = Query::select();
    some.expr(Expr::val(1)).from_subquery(newest.clone(), "newest").cond_where(rest).limit(most + 1);
    let found = capped(count(db, some).await?, most);
    if !found.exact {
        return Ok(found);
    }
    let mut examined = newest;
    examined.clear_selects().expr(Expr::val(1));
    let all = count(db, examined).await?;
    Ok(Total { exact: all <= i64::try_from(MOST_EXAMINED).unwrap_or(i64::MAX), ..found })
}

fn capped(count: i64, most: u64) -> Total {
    let count = u64::try_from(count).unwrap_or(0);
    Total { count: u32::try_from(Ord::min(count, most)).unwrap_or(u32::MAX), exact: count <= most }
}

/// How many rows a limited query has.
async fn count(db: &store::Db, some: SelectStatement) -> Result<i64, ReadError> {
    let mut counted = Query::select();
    counted.expr(Expr::col(sea_query::Asterisk).count()).from_subquery(some, "some");
    Ok(db.fetch_optional(&counted).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0))
}
