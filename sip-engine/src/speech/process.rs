//! One run of a speech program: text in by standard input, WAV out, within a time and a size.

use super::{
    SpeechError,
    voice::{Choice, Engine},
};
use crate::media::{Prompt, audio};
use std::{io, path::Path, process::Stdio};
use tempfile::TempDir;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};

/// More audio than this is not read: it would be refused anyway.
const MAX_AUDIO: u64 = audio::MAX_BYTES as u64 + 1;

/// Speaks `text`. The text never appears on a command line, and no shell is involved.
pub(super) async fn speak(program: &Path, choice: &Choice, text: &str) -> Result<Prompt, SpeechError> {
    let engine = choice.engine;
    let failed =
        |reason: io::Error| SpeechError::Failed { program: engine.name(), reason: reason.to_string() };
    let wav = match engine {
        Engine::Espeak => espeak(program, &choice.voice, text).await,
        Engine::Flite => flite(program, &choice.voice, text).await,
    }
    .map_err(failed)?;
    match tokio::task::spawn_blocking(move || audio::decode_prompt(&wav, None)).await {
        Ok(Err(audio::AudioError::Empty | audio::AudioError::UnknownFormat)) => {
            Err(SpeechError::NothingToSay)
        }
        Ok(decoded) => Ok(decoded?),
        Err(fault) => Err(failed(io::Error::other(fault))),
    }
}

async fn espeak(program: &Path, voice: &str, text: &str) -> io::Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(["-b", "1", "-v", voice, "--stdin", "--stdout"]).stdout(Stdio::piped());
    let mut child = spawn(&mut command)?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    // Both at once: a program that answers before it has read everything must not wait for us.
    let (fed, wav) = tokio::join!(feed(&mut child, text), read(output));
    finish(child, fed).await?;
    wav
}

/// flite hangs when its output is a pipe, so it writes a file in a folder nobody else can open.
async fn flite(program: &Path, voice: &str, text: &str) -> io::Result<Vec<u8>> {
    let folder = TempDir::with_prefix("speech-")?;
    let file = folder.path().join("spoken.wav");
    let mut command = Command::new(program);
    command.args(["-voice", voice, "-f", "/dev/stdin", "-o"]).arg(&file).stdout(Stdio::null());
    let mut child = spawn(&mut command)?;
    let fed = feed(&mut child, text).await;
    finish(child, fed).await?;
    read(File::open(&file).await?).await
}

/// The environment is kept from them: it may hold secrets, and they have no use for it.
fn spawn(command: &mut Command) -> io::Result<tokio::process::Child> {
    command.env_clear().stdin(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()
}

async fn feed(child: &mut tokio::process::Child, text: &str) -> io::Result<()> {
    let mut input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    input.write_all(text.as_bytes()).await?;
    input.write_all(b"\n").await
}

async fn read(source: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut wav = Vec::new();
    source.take(MAX_AUDIO).read_to_end(&mut wav).await?;
    Ok(wav)
}

async fn finish(mut child: tokio::process::Child, fed: io::Result<()>) -> io::Result<()> {
    let status = child.wait().await?;
    if status.success() { fed } else { Err(io::Error::other(status.to_string())) }
}
