//! The configuration breaks while agents run.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, bystander, desired, rewrite, shows, taken, whole, with_endpoint};

/// File, what becomes of its text, and words of the fault that this is.
type Breakage = (&'static str, fn(&str) -> String, &'static str);

const BREAKAGES: [Breakage; 2] = [
    ("acme.toml", |text| format!("{text}\n[[vpc"), "acme.toml"),
    ("acme.toml", |text| text.replace("\"l1a\", \"l2a\"", "\"l1a\", \"l2x\""), "l2x"),
];

/// A syntax error, a reference to nothing, a file that is gone: nothing changes, the fault is shown and logged with its
/// place, and goes when the file is right again.
pub fn broken(lab: &Lab) -> Result<()> {
    let before = desired(lab, "h1")?;
    let bystander = bystander(lab)?;
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
    for (file, breakage, words) in BREAKAGES {
        let right = rewrite(lab, file, breakage)?;
        let outcome = shows(lab, &[words]);
        rewrite(lab, file, |_| right)?;
        outcome.with_context(|| format!("{file} was broken"))?;
        ensure!(lab.agent_log("h1").contains(words), "`{words}` is not in the log");
        well_again(lab)?;
    }
    let (fabric, aside) = (lab.config().join("fabric.toml"), lab.config().join("fabric.aside"));
    fs::rename(&fabric, &aside).context("taking fabric.toml away")?;
    let outcome = shows(lab, &["fabric.toml"]);
    fs::rename(&aside, &fabric).context("giving fabric.toml back")?;
    outcome?;
    well_again(lab)?;

    ensure!(desired(lab, "h1")? == before, "something was applied");
    pinging.none_lost()?;
    bystander.none_lost()?;
    whole(lab)
}

fn well_again(lab: &Lab) -> Result<()> {
    wait_for(SOON, "end of the fault", || {
        let status = lab.status("h1")?;
        ensure!(status.faults.is_empty(), "there is: {}", status.faults.join("; "));
        Ok(Some(()))
    })
}

/// The directory is removed, and another one gets its name: that one counts from then on, and is watched.
pub fn another_directory(lab: &Lab) -> Result<()> {
    let directory = lab.config();
    let aside = directory.with_extension("aside");
    let bystander = bystander(lab)?;
    fs::rename(directory, &aside).context("taking the directory away")?;
    let outcome = shows(lab, &["cannot list the directory"]);
    copy(&aside, directory)?;
    fs::remove_dir_all(&aside).context("removing the old directory")?;
    outcome?;
    well_again(lab)?;

    let original = rewrite(lab, "acme.toml", |text| with_endpoint(text, "pc1", "pc9"))?;
    let came = taken(lab, "acme/pc9", true);
    rewrite(lab, "acme.toml", |_| original)?;
    came?;
    taken(lab, "acme/pc9", false)?;
    bystander.none_lost()?;
    whole(lab)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name())).context("copying the configuration")?;
    }
    Ok(())
}
