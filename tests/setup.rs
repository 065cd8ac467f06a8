//! `bin/setup` on machines without Rust. Everything it would run is a stand-in on its PATH: nothing is installed here.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What the script may use of this machine.
const BORROWED: [&str; 19] = [
    "bash",
    "sh",
    "cat",
    "cut",
    "sort",
    "head",
    "mktemp",
    "wc",
    "sha256sum",
    "cksum",
    "id",
    "tee",
    "mkdir",
    "sed",
    "env",
    "dirname",
    "touch",
    "chmod",
    "basename",
];
/// What it looks for beside Rust, and finds.
const PRESENT: [&str; 6] = ["cc", "make", "node", "npm", "flite", "espeak-ng"];
/// A cargo that says it is new enough.
const CARGO: &str = "mkdir -p \"$HOME/.cargo/bin\"; printf '#!/bin/sh\\necho cargo 1.95.0\\n' >\"$HOME/.cargo/bin/cargo\"; \
                     chmod +x \"$HOME/.cargo/bin/cargo\"";

/// A machine: a copy of the scripts, a home, and programs that are stand-ins.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Machine {
        let machine = Machine(tempfile::tempdir().unwrap());
        for folder in ["programs", "home", "project/bin", "project/dashboard-spa/node_modules"] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        for script in ["setup", "environment"] {
            fs::copy(project().join("bin").join(script), machine.path("project/bin").join(script)).unwrap();
        }
        fs::write(machine.path("project/dashboard-spa/package-lock.json"), "{}").unwrap();
        for program in BORROWED {
            let real = which(program);
            std::os::unix::fs::symlink(real, machine.path("programs").join(program)).unwrap();
        }
        PRESENT.iter().for_each(|program| machine.has(program, ""));
        machine.has("sudo", "exec \"$@\"");
        machine
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    /// A program that does this.
    fn has(&self, program: &str, does: &str) {
        let file = self.path("programs").join(program);
        fs::write(&file, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// An internet that has the official installer.
    fn has_internet(&self) {
        let save = "while [ \"$1\" != -o ]; do shift; done; echo \"echo $HOME/ran; touch $HOME/ran\" >\"$2\"";
        self.has("curl", &format!("{save}\ncat >>\"$2\" <<'END'\n{CARGO}\nEND"));
    }

    /// Runs `bin/setup run` with nobody at the keyboard: whether it went well, and what it said.
    fn sets_up(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(self.path("programs/bash"));
        command.arg(self.path("project/bin/setup")).arg("run").args(arguments).env_clear();
        command.env("PATH", self.path("programs")).env("HOME", self.path("home")).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    fn has_rust(&self) -> bool {
        self.path("home/.cargo/bin/cargo").exists()
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn which(program: &str) -> PathBuf {
    let output = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

#[test]
fn a_machine_without_rust_is_shown_how_to_get_it_and_left_as_it_is() {
    let machine = Machine::new();
    machine.has_internet();
    let (went_well, said) = machine.sets_up(&[]);
    assert!(!went_well && !machine.has_rust() && !machine.path("home/ran").exists(), "{said}");
    for shown in ["https://sh.rustup.rs", "--default-toolchain 1.95", "--install-rust"] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
}

#[test]
fn the_official_installer_runs_when_told_to_and_is_shown_first() {
    let machine = Machine::new();
    machine.has_internet();
    let (went_well, said) = machine.sets_up(&["--install-rust"]);
    assert!(went_well && machine.has_rust(), "{said}");
    let shown = said.find("rustup-init").unwrap_or_else(|| panic!("not shown: {said}"));
    assert!(shown < said.find("/ran").unwrap(), "shown before it ran: {said}");
    let (again, said) = machine.sets_up(&[]);
    assert!(again && !said.contains("Rust"), "a second run only looks: {said}");
}

#[test]
fn a_distribution_that_has_rustup_is_asked_for_it_before_the_internet() {
    let machine = Machine::new();
    machine.has_internet();
    machine.has("apt-cache", "[ \"$*\" = \"show rustup\" ]");
    let rustup =
        format!("cat >\"$(dirname \"$0\")/rustup\" <<'END'\n#!/bin/sh\necho rustup \"$@\"\n{CARGO}\nEND");
    machine.has("apt-get", &format!("echo apt-get \"$@\"\n{rustup}\nchmod +x \"$(dirname \"$0\")/rustup\""));
    let (went_well, said) = machine.sets_up(&["--install-rust"]);
    assert!(went_well && machine.has_rust() && !machine.path("home/ran").exists(), "{said}");
    assert!(
        said.contains("apt-get install -y rustup") && said.contains("rustup toolchain install 1.95"),
        "{said}"
    );
}

#[test]
fn a_rust_that_is_too_old_counts_as_none() {
    let machine = Machine::new();
    machine.has_internet();
    machine.has("cargo", "echo cargo 1.63.0");
    let (went_well, said) = machine.sets_up(&[]);
    assert!(!went_well && said.contains("Rust 1.95 or newer is missing"), "{said}");
    let (went_well, said) = machine.sets_up(&["--install-rust"]);
    assert!(went_well, "the new one goes before the old one: {said}");
}
