//! Fact 6 of POLICY: is the mail an ICT matter?
//!
//! Words of ICT are weighed against words of content (texts, pictures, layout, forms, how to use a function); those in
//! the subject weigh double. What is mentioned in passing ("after logging in I see ...") weighs nothing.

use std::collections::HashSet;

use super::lexicon::{Clause, Hit, Role, Said};

/// What a matter of ICT must weigh at least: one word that is ICT by itself, or two hints.
const ENOUGH: usize = 2;

/// How many words behind "it is not about" are taken back.
const REACH_OF_NOT_ABOUT: usize = 5;

/// Is it an ICT matter?
#[must_use]
pub fn ict(said: &Said) -> bool {
    let clauses = said.0.as_slice();
    let ict = Weight::of(clauses, ict_weight, Role::NoIct);
    let content = Weight::of(clauses, content_weight, Role::NoContent);
    let (ict, content) = (ict.beside(&content), content.beside(&ict));
    ict >= ENOUGH && ict > content
}

/// What a word of ICT weighs.
fn ict_weight(role: Role) -> usize {
    match role {
        Role::IctCertain => 4,
        Role::IctLikely | Role::Delivery => 2,
        Role::IctHint => 1,
        _ => 0,
    }
}

/// What a word of content weighs.
fn content_weight(role: Role) -> usize {
    match role {
        Role::Content => 2,
        Role::ContentHint => 1,
        _ => 0,
    }
}

/// What the different words of one side weigh together.
struct Weight {
    subject: usize,
    text: usize,
}

impl Weight {
    /// Weighs all hits that `weigh` knows and that no phrase of the role `mask` covers; a word counts once in the
    /// subject and once in the text.
    fn of(clauses: &[Clause], weigh: fn(Role) -> usize, mask: Role) -> Self {
        let mut sum = Self { subject: 0, text: 0 };
        let mut seen: HashSet<(bool, &[String])> = HashSet::new();
        for clause in clauses {
            let side = if clause.in_subject() { &mut sum.subject } else { &mut sum.text };
            for (weight, hit) in counting(clause, weigh, mask) {
                let words = clause.words.get(hit.start..hit.end).unwrap_or_default();
                if seen.insert((clause.in_subject(), words)) {
                    *side += weight;
                }
            }
            if clause.has(Role::Mail) && clause.has(Role::Delivery) {
                *side += weigh(Role::Delivery);
            }
        }
        sum
    }

    /// The subject weighs double, unless the text speaks of the other side alone.
    fn beside(&self, other: &Self) -> usize {
        if self.text == 0 && other.text > 0 { self.subject } else { 2 * self.subject + self.text }
    }
}

/// The hits of a clause that count, heaviest and longest first, none over another.
fn counting(clause: &Clause, weigh: fn(Role) -> usize, mask: Role) -> Vec<(usize, &Hit)> {
    let mut hits: Vec<(usize, &Hit)> = clause
        .hits
        .iter()
        .map(|hit| (weigh(hit.role), hit))
        .filter(|(weight, hit)| {
            let about = |not: &Hit| (not.end..not.end + REACH_OF_NOT_ABOUT).contains(&hit.start);
            *weight > 0
                && hit.role != Role::Delivery
                && !clause.of(mask).any(|other| overlap(other, hit))
                && !clause.of(Role::NotAbout).any(about)
        })
        .collect();
    hits.sort_by_key(|(weight, hit)| std::cmp::Reverse((*weight, hit.end - hit.start)));
    let mut counting: Vec<(usize, &Hit)> = Vec::new();
    for (weight, hit) in hits {
        if !counting.iter().any(|(_, other)| overlap(other, hit)) {
            counting.push((weight, hit));
        }
    }
    counting
}

/// Do two hits share a word?
fn overlap(one: &Hit, other: &Hit) -> bool {
    one.start < other.end && other.start < one.end
}
