//! The table as it is printed: what, ours, the peer's, and the ratio.

/// One line of the table.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Our figure, with its unit.
    pub ours: String,
    /// Who stands beside us.
    pub peer: String,
    /// The peer's figure, or why there is none ("skipped: kamailio is not installed").
    pub theirs: String,
    /// How we compare, for example "2.4x the commands" or "0.6x the CPU".
    pub ratio: String,
}

/// Prints rows in columns.
pub fn print(rows: &[Row]) {
    for Row { what, ours, peer, theirs, ratio } in rows {
        println!("{what:<44} {ours:>18}   {peer:<22} {theirs:>18}   {ratio}");
    }
}

/// CPU time (user and system, all threads) a process has used so far, in seconds; from /proc, in ticks of 10 ms.
pub fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// The same as the scheduler counts it, for a process whose threads all stay: exact, where the other figure is sampled
/// at every timer tick and misses what runs between two.
pub fn scheduled_seconds(process: u32) -> f64 {
    let nanoseconds = |task: std::fs::DirEntry| -> Option<f64> {
        std::fs::read_to_string(task.path().join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    };
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(nanoseconds).sum::<f64>() / 1e9
}

/// Whether a program is on the PATH.
pub fn installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
