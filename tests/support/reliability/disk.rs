//! A disk that loses, when the power is cut, what was not forced onto it.
//!
//! What lies in a directory is known as of the last fsync: the content of each file, and of each directory the names. Of what was written since, each
//! sector is there or not, as the dice say, so that writes are torn and out of order. That fsync of a new file forces its name as well is
//! how ext4 and XFS do it, and that a file is cut short as a whole or not at all: a size is no content. What was forced and never cut off stays.

use super::Dice;
use crate::support::checker::files_below;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The files below one directory.
#[derive(Debug)]
pub struct Disk {
    directory: PathBuf,
    forced: Mutex<Forced>,
}

/// What is on the disk for good.
#[derive(Debug, Default)]
struct Forced {
    /// Which file, by its inode.
    names: BTreeMap<PathBuf, u64>,
    contents: BTreeMap<u64, Vec<u8>>,
    /// Those that were cut short since, and to what size at the least.
    shortened: BTreeMap<u64, usize>,
}

impl Disk {
    pub fn of(directory: PathBuf) -> Self {
        Self { directory, forced: Mutex::default() }
    }

    /// Everything that lies there is on the disk.
    pub fn sync(&self) {
        let mut forced = self.forced.lock().unwrap();
        *forced = Forced::default();
        self.files().iter().for_each(|file| forced.take(file));
    }

    /// This call had its effect: `fdatasync /postkamer.db-wal`.
    pub fn heard(&self, call: &str) {
        let Some((call, path)) = call.split_once(' ') else { return };
        let path = self.directory.join(path.trim_start_matches('/'));
        let mut forced = self.forced.lock().unwrap();
        if call == "ftruncate"
            && let Ok(file) = fs::metadata(&path)
        {
            let least = forced.shortened.entry(file.ino()).or_insert(usize::MAX);
            *least = (*least).min(file.len() as usize);
        }
        if !["fsync", "fdatasync"].contains(&call) {
            return;
        }
        if !path.is_dir() {
            return forced.take(&path);
        }
        forced.names.retain(|name, _| name.parent() != Some(&path));
        for file in self.files().into_iter().filter(|file| file.parent() == Some(&path)) {
            forced.names.extend(inode(&file).map(|inode| (file, inode)));
        }
    }

    /// The power is cut; whoever wrote here is dead already.
    pub fn cut(&self, dice: &mut Dice) {
        let forced = self.forced.lock().unwrap();
        let now: BTreeMap<u64, Vec<u8>> = self.files().iter().filter_map(|file| Some((inode(file)?, fs::read(file).ok()?))).collect();
        self.files().iter().for_each(|file| fs::remove_file(file).unwrap());
        for (file, inode) in &forced.names {
            let old = forced.contents.get(inode).cloned().unwrap_or_default();
            let least = forced.shortened.get(inode).map_or(old.len(), |least| old.len().min(*least));
            let (kept, cut_off) = old.split_at(least);
            let torn = match now.get(inode) {
                None => old,
                Some(new) if !cut_off.is_empty() && dice.below(2) == 0 => {
                    [&torn(kept, new.get(..least).unwrap_or(new), dice), cut_off].concat()
                }
                Some(new) => torn(kept, new, dice),
            };
            fs::write(file, torn).unwrap();
        }
    }

    /// All but what processes have in memory together.
    fn files(&self) -> Vec<PathBuf> {
        let is_memory = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "db-shm");
        files_below(&self.directory).into_iter().filter(|file| !is_memory(file)).collect()
    }
}

impl Forced {
    fn take(&mut self, file: &Path) {
        if let (Some(inode), Ok(content)) = (inode(file), fs::read(file)) {
            self.names.insert(file.to_owned(), inode);
            self.contents.insert(inode, content);
            self.shortened.remove(&inode);
        }
    }
}

fn inode(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().map(|metadata| metadata.ino())
}

/// Some of the sectors that differ are as they were, the others new.
fn torn(old: &[u8], new: &[u8], dice: &mut Dice) -> Vec<u8> {
    let length = if dice.below(2) == 0 { old.len() } else { new.len() };
    let mut torn = vec![0; length];
    for start in (0..length).step_by(SECTOR) {
        let sector = |of: &[u8]| {
            let mut bytes = of.get(start..).unwrap_or_default().to_vec();
            bytes.resize(SECTOR.min(length - start), 0);
            bytes
        };
        let (before, after) = (sector(old), sector(new));
        let is_new = before != after && dice.below(2) == 0;
        torn[start..][..before.len()].copy_from_slice(if is_new { &after } else { &before });
    }
    torn
}

#[test]
fn what_was_forced_stays_and_the_rest_may_go() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let shorten = |name: &str, size: u64| fs::File::options().write(true).open(at(name)).unwrap().set_len(size).unwrap();
    let disk = Disk::of(directory.path().to_owned());
    fs::write(at("old"), [1; 2048]).unwrap();
    disk.sync();
    fs::write(at("old"), [2; 4096]).unwrap();
    fs::write(at("forced"), "here").unwrap();
    disk.heard("fsync /forced");
    fs::write(at("lost"), "gone").unwrap();
    fs::rename(at("forced"), at("renamed")).unwrap();
    disk.cut(&mut Dice::seeded(7));
    assert!(!at("lost").exists() && !at("renamed").exists());
    assert_eq!(fs::read(at("forced")).unwrap(), b"here");
    let old = fs::read(at("old")).unwrap();
    assert!(old.chunks(SECTOR).all(|sector| [0, 1, 2].iter().any(|byte| sector.iter().all(|found| found == byte))), "no sector is torn");
    assert!(old[..2048].contains(&1) && old[..2048].contains(&2), "some are new, some are not");
    fs::rename(at("forced"), at("renamed")).unwrap();
    disk.heard("fsync /");
    disk.cut(&mut Dice::seeded(7));
    assert!(!at("forced").exists() && fs::read(at("renamed")).unwrap() == b"here");
    // Cut short and written anew: whole as it was, or nothing of that any more.
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        fs::write(at("renamed"), [3; 2048]).unwrap();
        disk.sync();
        shorten("renamed", 0);
        disk.heard("ftruncate /renamed");
        fs::write(at("renamed"), [4; 512]).unwrap();
        disk.cut(&mut Dice::seeded(seed));
        let found = fs::read(at("renamed")).unwrap();
        assert!(found == [3; 2048] || !found.contains(&3), "{found:?}");
        seen.insert(found.contains(&3));
    }
    assert_eq!(seen.len(), 2);
    // Cut to the size that it has, or not as far as all that was forced: what is below that stays, written anew or not.
    for (seed, size) in (0..20).flat_map(|seed| [2048, 1024].map(|size| (seed, size))) {
        fs::write(at("renamed"), [5; 2048]).unwrap();
        disk.sync();
        shorten("renamed", size);
        disk.heard("ftruncate /renamed");
        disk.cut(&mut Dice::seeded(seed));
        let found = fs::read(at("renamed")).unwrap();
        assert!(found == [5; 2048] || found == vec![5; size as usize], "{found:?}");
    }
}
