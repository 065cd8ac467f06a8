//! Files that name each other in a circle cannot be read one at a time: of each crate they may be only so much.
//!
//! A file names another by a `use` or by a path that begins with `crate`, `super` or `self`, through re-exports to where
//! the thing is. Tests and the crate's own root are left out, and a module and its direct children are one place.

use crate::support::sources::{self, CRATES, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Per cent of a crate's lines that may be in circles, all together.
const MOST: usize = 30;
/// Re-exports followed one after another.
const HOPS: usize = 6;

type Module = Vec<String>;

/// A crate's files, by the modules they are.
struct Files {
    lines: BTreeMap<Module, usize>,
    /// The paths each of them names, from the crate's root.
    named: BTreeMap<Module, Vec<Module>>,
    /// Names that a module hands on, and where they are.
    handed_on: BTreeMap<(Module, String), Module>,
}

impl Files {
    fn of(sources: &[Source]) -> Files {
        let texts: BTreeMap<Module, &str> = sources
            .iter()
            .map(|source| (module_of(source), source.text.as_str()))
            .filter(|(module, _)| !module.iter().any(|part| part == "tests" || part == "testing"))
            .collect();
        let lines = texts.iter().map(|(module, text)| (module.clone(), text.lines().count())).collect();
        let mut files = Files { lines, named: BTreeMap::new(), handed_on: BTreeMap::new() };
        for (module, text) in &texts {
            files.read(module, &product_code(text));
        }
        files
    }

    /// What a file names, and hands on.
    fn read(&mut self, module: &Module, text: &str) {
        let (uses, rest) = uses_of(text);
        let mut named = Vec::new();
        for (is_public, tree) in uses {
            for path in expanded("", &tree) {
                let Some(path) = self.below_root(module, &path) else { continue };
                let name = path.iter().rev().find(|part| *part != "self").cloned();
                if let Some(name) = name.filter(|_| is_public) {
                    self.handed_on.insert((module.clone(), name), path.clone());
                }
                named.push(path);
            }
        }
        named.extend(paths_in(&rest).iter().filter_map(|path| self.below_root(module, path)));
        self.named.insert(module.clone(), named);
    }

    /// A path as it is from the crate's root; none when it leads to another crate.
    fn below_root(&self, module: &Module, path: &str) -> Option<Module> {
        let parts: Vec<&str> = path.split("::").collect();
        let ups = parts.iter().take_while(|part| **part == "super").count();
        let (base, rest) = match *parts.first()? {
            "crate" => (Module::new(), parts.get(1..)?),
            "self" => (module.clone(), parts.get(1..)?),
            "super" => (module.get(..module.len().checked_sub(ups)?)?.to_vec(), parts.get(ups..)?),
            first => {
                let child = [module.as_slice(), &[first.to_owned()]].concat();
                (self.lines.contains_key(&child).then(|| module.clone())?, parts.as_slice())
            }
        };
        Some(base.into_iter().chain(rest.iter().map(|part| (*part).to_owned())).collect())
    }

    /// The file in which what a path names is.
    fn home(&self, path: &Module, hops: usize) -> Option<Module> {
        let path: Module = path.iter().filter(|part| *part != "self").cloned().collect();
        let module = (0..=path.len()).rev().find_map(|end| {
            let module = path.get(..end)?.to_vec();
            self.lines.contains_key(&module).then_some(module)
        })?;
        let rest = path.get(module.len()..)?;
        let next = rest.first().and_then(|name| self.handed_on.get(&(module.clone(), name.clone())));
        match next.filter(|next| **next != path && hops < HOPS) {
            Some(next) => self.home(&[next.as_slice(), rest.get(1..)?].concat(), hops + 1),
            None => Some(module),
        }
    }

    /// Whom a file names.
    fn neighbours(&self, module: &Module) -> BTreeSet<Module> {
        let homes = self.named.get(module).into_iter().flatten().filter_map(|path| self.home(path, 0));
        homes.filter(|home| home != module && !home.is_empty() && !is_child(home, module)).collect()
    }

    /// The circles, each with all its files.
    fn circles(&self) -> Vec<BTreeSet<Module>> {
        let arrows: BTreeMap<&Module, BTreeSet<Module>> =
            self.lines.keys().map(|module| (module, self.neighbours(module))).collect();
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            arrows.keys().map(|module| (*module, reached(module, &arrows))).collect();
        let circle = |module: &Module| -> BTreeSet<Module> {
            let back = |other: &&Module| reached.get(*other).is_some_and(|from| from.contains(module));
            reached.get(module).into_iter().flatten().filter(back).cloned().collect()
        };
        let circles: BTreeSet<BTreeSet<Module>> = self.lines.keys().map(circle).collect();
        circles.into_iter().filter(|circle| circle.len() > 1).collect()
    }

    /// Per cent of the lines that are in circles, and the circles in words.
    fn in_circles(&self) -> (usize, String) {
        let circles = self.circles();
        let lines = |module: &Module| self.lines.get(module).copied().unwrap_or(0);
        let (all, inside): (usize, usize) =
            (self.lines.values().sum(), circles.iter().flatten().map(lines).sum());
        let words = |circle: &BTreeSet<Module>| {
            circle.iter().map(|module| module.join("/")).collect::<Vec<_>>().join(" ")
        };
        (inside * 100 / all.max(1), circles.iter().map(words).collect::<Vec<_>>().join("\n"))
    }
}

/// The module that a file is, from the crate's root.
fn module_of(source: &Source) -> Module {
    let path = source.path.with_extension("");
    let mut module: Module = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod")
        || matches!(module.as_slice(), [only] if only == "lib" || only == "main")
    {
        module.pop();
    }
    module
}

/// Whether one is the other's direct child.
fn is_child(one: &Module, other: &Module) -> bool {
    let of = |child: &Module, parent: &Module| {
        child.split_last().is_some_and(|(_, above)| above == parent.as_slice())
    };
    of(one, other) || of(other, one)
}

/// Everything there is a way to, from a file.
fn reached(from: &Module, arrows: &BTreeMap<&Module, BTreeSet<Module>>) -> BTreeSet<Module> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from.clone()]);
    while let Some(module) = next.pop() {
        let new = arrows.get(&module).into_iter().flatten();
        next.extend(new.filter(|module| reached.insert((*module).clone())).cloned());
    }
    reached
}

/// A file without its tests and comments.
fn product_code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The `use`s of a text, each with whether it hands on; and the text without them.
fn uses_of(text: &str) -> (Vec<(bool, String)>, String) {
    let (mut uses, mut rest, mut under_way) = (Vec::new(), String::new(), None::<(bool, String)>);
    for line in text.lines() {
        let begun = line.trim_start();
        let import = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
            .iter()
            .find_map(|word| Some((word.len() > "use ".len(), begun.strip_prefix(word)?)));
        match (&mut under_way, import) {
            (Some((_, tree)), _) => tree.push_str(line),
            (None, Some((is_public, tree))) => under_way = Some((is_public, tree.to_owned())),
            (None, None) => rest.extend([line, "\n"]),
        }
        if let Some((_, tree)) = &mut under_way
            && let Some(end) = tree.find(';')
        {
            tree.truncate(end);
            uses.extend(under_way.take());
        }
    }
    (uses, rest)
}

/// The paths of a `use`'s tree, without what they are renamed to.
fn expanded(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return if path.is_empty() { Vec::new() } else { vec![format!("{prefix}{}", path.trim())] };
    };
    let (prefix, inner) =
        (format!("{prefix}{head}"), inner.rsplit_once('}').map_or(inner, |(inner, _)| inner));
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for letter in inner.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.iter().flat_map(|part| expanded(&prefix, part)).collect()
}

/// Paths into the crate that stand in the code itself.
fn paths_in(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let words = text.split(|letter: char| !is_part(letter));
    let inside = |word: &&str| ["crate::", "super::", "self::"].iter().any(|root| word.starts_with(root));
    words.filter(inside).map(|word| word.trim_end_matches(':').to_owned()).collect()
}

#[test]
fn no_crate_is_one_big_circle() {
    for (name, folder) in CRATES {
        let (share, circles) = Files::of(&sources::below(folder)).in_circles();
        assert!(share <= MOST, "{name}: {share} % of the lines are in circles:\n{circles}");
    }
}

/// The circles of a crate that consists of these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let source = |(path, text): &(&str, &str)| Source { path: path.into(), text: (*text).to_owned() };
    let circles = Files::of(&files.iter().map(source).collect::<Vec<_>>()).circles();
    circles.iter().map(|circle| circle.iter().map(|module| module.join("/")).collect()).collect()
}

#[test]
fn a_circle_is_found_through_what_others_hand_on() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\npub use b::{B, c::C as D};"),
        ("a.rs", "use crate::{\n    B,\n    other::Thing,\n};"),
        ("b/mod.rs", "mod c;\npub use c::B;"),
        ("b/c.rs", "pub struct B; // super::a\nfn f() { super::super::a::g(); }"),
    ];
    assert_eq!(circles_of(&files), [["a", "b/c"]]);
}

#[test]
fn a_module_with_its_children_and_one_with_its_tests_are_no_circles() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a/mod.rs", "mod c;\nuse c::C;"),
        ("a/c.rs", "use super::A;"),
        ("b.rs", "use crate::a::A;"),
        ("a/tests.rs", "use crate::b::B;"),
    ];
    assert_eq!(circles_of(&files), Vec::<Vec<String>>::new());
}
