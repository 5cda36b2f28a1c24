//! Fact 5 of POLICY: is an outage, or an incident that stops work, described and not denied?
//!
//! A *sign* is one clause that describes an outage: a noun ("serverstoring"), a whole system in a failing state, people
//! who cannot work, data that is being lost. A sign is dropped when its clause or its neighbours say that it is not
//! so, that it is over, long ago, announced, or only imagined. Words such as "urgent" are no sign.

use super::lexicon::{Clause, Hit, Role, Said};

/// How many words before a sign a negation may stand: "er is geen sprake van een storing".
const REACH_OF_NOT: usize = 4;

/// How far from a sign a time may stand that it is about: "next week the system will not be available".
const NEAR: usize = 6;

/// How many words behind "after" what is over may stand: "after the planned maintenance".
const REACH_OF_AFTER: usize = 3;

/// How long a clause may be that says nothing but "if" and passes that on to the next one.
const SHORT_CLAUSE: usize = 4;

/// A clause that describes an outage.
struct Sign {
    /// Its clause.
    clause: usize,
    /// The word of that clause where it begins.
    start: usize,
    /// Is it a mere noun, which a question only asks about?
    noun: bool,
}

/// Does the mail describe an outage or an incident that stops work?
#[must_use]
pub fn urgent(said: &Said) -> bool {
    let clauses = said.0.as_slice();
    if clauses.iter().any(|clause| clause.has(Role::NotUrgent) && !clause.has(Role::Past)) {
        return false;
    }
    let mut signs: Vec<Sign> = Vec::new();
    for at in 0..clauses.len() {
        if let Some(over) = resolved(clauses, at) {
            signs.retain(|sign| match over {
                Over::Everything => false,
                // "Last week's outage has been fixed": the noun in the subject is that outage.
                Over::ThisSegment => !sign.noun && !same_segment(clauses, sign.clause, at),
            });
            continue;
        }
        if same_segment_has(clauses, at, |other| resolved(clauses, other).is_some()) {
            continue;
        }
        signs.extend(signs_of(clauses, at).filter(|sign| holds(clauses, sign)));
    }
    !signs.is_empty()
}

/// How far "it is over" reaches back.
enum Over {
    /// To all that was said before.
    Everything,
    /// To its own segment: it tells of another time.
    ThisSegment,
}

/// Does this clause say that it is over?
fn resolved(clauses: &[Clause], at: usize) -> Option<Over> {
    let clause = clauses.get(at)?;
    let over = clause.of(Role::Resolved).any(|hit| !denied(clause, hit));
    if !over || clause.has(Role::NotYet) || clause.has(Role::Hypothetical) || clause.question {
        return None;
    }
    Some(if past(clause) { Over::ThisSegment } else { Over::Everything })
}

/// The signs that a clause holds, before anything speaks against them.
fn signs_of(clauses: &[Clause], at: usize) -> impl Iterator<Item = Sign> {
    let mut signs = Vec::new();
    let Some(clause) = clauses.get(at) else { return signs.into_iter() };
    let first = |role| {
        let masked = |hit: &Hit| covered(clause, hit, Role::NoOutage);
        clause.of(role).find(|hit| !masked(hit)).map(|hit| hit.start)
    };
    let mut add = |start: usize, noun: bool| signs.push(Sign { clause: at, start, noun });

    let small = small(clause);
    for hit in clause.of(Role::Outage).filter(|hit| !covered(clause, hit, Role::NoOutage) && !denied(clause, hit)) {
        if !small || clause.has(Role::System) || clause.has(Role::Everyone) {
            add(hit.start, true);
        }
    }
    // "Not unworkable": here only a negation right before it counts, for many such phrases hold one themselves.
    let standstill = |hit: &&Hit| !covered(clause, hit, Role::NoOutage) && !clause.of(Role::Not).any(|not| not.end == hit.start);
    if let Some(hit) = clause.of(Role::Standstill).find(standstill) {
        add(hit.start, false);
    }

    let alone = clause.of(Role::OnlyMe).any(|hit| !covered(clause, hit, Role::System));
    let mild = clause.has(Role::Mild);
    let negated = clause.of(Role::Not).any(|hit| !covered(clause, hit, Role::NoOutage));
    let system =
        first(Role::System).or_else(|| clause.names.iter().copied().find(|name| !clause.hits.iter().any(|hit| inside(*name, hit))));
    // "The case system. It has not been working since nine": the object may stand in the clause before.
    let object = system.or_else(|| {
        let before = at.checked_sub(1).and_then(|before| clauses.get(before))?;
        let refers = clause.has(Role::It) || clause.words.len() <= SHORT_CLAUSE + 2;
        let clear = !before.has(Role::Small) && clause.first_of(&[Role::We, Role::Everyone]).is_none();
        (refers && clear && before.has(Role::System)).then_some(0)
    });
    if !small && !alone && !mild {
        if let Some(hit) = clause.of(Role::Down).find(|hit| !covered(clause, hit, Role::NoOutage) && !denied(clause, hit)) {
            add(hit.start, false);
        }
        if let Some(object) = object {
            if let Some(hit) = clause.of(Role::Failing).find(|hit| !covered(clause, hit, Role::NoOutage) && !denied(clause, hit)) {
                add(hit.start.min(object), false);
            }
            if let (true, Some(works)) = (negated, first(Role::Works)) {
                add(works.min(object), false);
            }
        }
    }

    let everyone = first(Role::Everyone);
    let people = everyone.or_else(|| first(Role::We));
    // "Nobody can open a file" is about all files, though "a file" alone would be about one.
    if let (false, Some(nobody), Some(_)) = (small, first(Role::Nobody), first(Role::Work)) {
        add(nobody, false);
    }
    if !small && !alone {
        // "Cannot log in, it is the same for all of us": the people may stand in another clause of the sentence.
        let all_of_us = || same_segment_has(clauses, at, |other| clauses.get(other).is_some_and(|other| other.has(Role::Everyone)));
        if let Some(people) = people.or_else(|| (clause.first_of(&[Role::Work]).is_some() && all_of_us()).then_some(0)) {
            let cannot = first(Role::Unable).is_some() || (negated && first(Role::Able).is_some());
            if cannot && first(Role::Work).is_some() || first(Role::ShutOut).is_some() {
                add(people, false);
            }
        }
        if let (Some(everyone), Some(_)) = (everyone, first(Role::Error)) {
            add(everyone, false);
        }
        if let (Some(data), Some(_)) = (first(Role::Data), clause.of(Role::Vanishing).find(|hit| !denied(clause, hit))) {
            add(data, false);
        }
    }
    signs.into_iter()
}

/// Does the clause speak of a part of a page or a function? "Login page" is a system, though "page" is a part.
fn small(clause: &Clause) -> bool {
    clause.of(Role::Small).any(|small| {
        !clause.hits.iter().any(|hit| {
            hit.start <= small.start
                && hit.end >= small.end
                && hit.end - hit.start > small.end - small.start
                && matches!(hit.role, Role::System | Role::Everyone | Role::Work | Role::ShutOut | Role::NoOutage)
        })
    })
}

/// Is nothing said that takes the sign back?
fn holds(clauses: &[Clause], sign: &Sign) -> bool {
    let Some(clause) = clauses.get(sign.clause) else { return false };
    let reason_between = |from: usize| clause.of(Role::Because).any(|because| because.start >= from && because.end <= sign.start);
    let imagined = clause
        .of(Role::Hypothetical)
        .filter(|hit| !covered(clause, hit, Role::NoOutage))
        .any(|hit| (hit.start <= sign.start || hit.end > sign.start && sign.noun) && !reason_between(hit.end));
    let passed_on = sign.clause.checked_sub(1).and_then(|before| clauses.get(before)).is_some_and(|before| {
        before.sentence == clause.sentence && before.words.len() <= SHORT_CLAUSE && before.has(Role::Hypothetical) && !clause.turns
    });
    let asked = sign.noun && clause.question && !clause.has(Role::HowLong);
    let then = same_segment_has(clauses, sign.clause, |other| {
        clauses.get(other).is_some_and(|other| planned(other) || (sign.noun && past(other)))
    });
    let cut = |hit: &Hit| clause.of(Role::And).any(|and| and.start >= hit.end && and.end <= sign.start);
    let near = |hit: &Hit| hit.start <= sign.start + NEAR && sign.start <= hit.end + NEAR && !cut(hit);
    let later = clause.of(Role::Later).any(near)
        || (clause.has(Role::Then)
            && same_segment_has(clauses, sign.clause, |other| clauses.get(other).is_some_and(|other| other.has(Role::Later))));
    let other_time = later || (past(clause) && clause.of(Role::Past).any(near) && !clause.has(Role::Again));
    let announced = clause.has(Role::Then)
        && clauses
            .iter()
            .take(sign.clause)
            .rev()
            .take_while(|other| other.sentence + 1 >= clause.sentence)
            .any(|other| other.sentence != clause.sentence && (other.has(Role::Planned) || other.has(Role::Hypothetical)));
    // The text "System down" is to be changed: words on a page, not an event.
    let cited = clause.quoted && clauses.iter().any(|other| other.sentence == clause.sentence && !other.quoted && other.has(Role::Small));
    !(imagined || passed_on || asked || then || other_time || announced || cited)
}

/// Does the clause announce something that is not over yet? "After the maintenance" it is.
fn planned(clause: &Clause) -> bool {
    clause
        .of(Role::Planned)
        .any(|hit| !clause.of(Role::After).any(|after| after.start <= hit.start && hit.start < after.end + REACH_OF_AFTER))
}

/// Does the clause speak of a past time, and not of one since which something lasts?
fn past(clause: &Clause) -> bool {
    clause.of(Role::Past).any(|hit| !clause.of(Role::Since).any(|since| since.start <= hit.start && hit.start < since.end + NEAR))
}

/// Stands a negation shortly before the hit, and no reason between them?
fn denied(clause: &Clause, hit: &Hit) -> bool {
    clause.of(Role::Not).any(|not| {
        let near = not.end <= hit.start && hit.start - not.end < REACH_OF_NOT;
        let cut = clause.of(Role::Because).any(|because| because.start >= not.end && because.end <= hit.start);
        let taken = clause.hits.iter().any(|other| other.end - other.start > 1 && inside(not.start, other) && is_statement(other.role));
        near && !cut && !taken
    })
}

/// Roles whose phrases carry a "not" of their own.
fn is_statement(role: Role) -> bool {
    matches!(
        role,
        Role::Standstill | Role::Down | Role::Failing | Role::Nobody | Role::Unable | Role::ShutOut | Role::Mild | Role::NoOutage
    )
}

/// Is the word one of the hit's?
fn inside(word: usize, hit: &Hit) -> bool {
    (hit.start..hit.end).contains(&word)
}

/// Does a phrase of this role share a word with the hit?
fn covered(clause: &Clause, hit: &Hit, role: Role) -> bool {
    clause.of(role).any(|other| other.start < hit.end && hit.start < other.end)
}

/// Two clauses of one sentence with no "but" between them.
fn same_segment(clauses: &[Clause], one: usize, other: usize) -> bool {
    let (first, last) = (one.min(other), one.max(other));
    let Some(sentence) = clauses.get(first).map(|clause| clause.sentence) else { return false };
    clauses
        .get(first..=last)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .all(|(at, clause)| clause.sentence == sentence && (at == 0 || !clause.turns))
}

/// Is there a clause in the segment of `at` for which this is so?
fn same_segment_has(clauses: &[Clause], at: usize, is_so: impl Fn(usize) -> bool) -> bool {
    let Some(sentence) = clauses.get(at).map(|clause| clause.sentence) else { return false };
    let neighbour = |other: &usize| clauses.get(*other).is_some_and(|other| other.sentence == sentence);
    let forward = (at..clauses.len()).take_while(neighbour).filter(|other| same_segment(clauses, at, *other));
    let backward = (0..at).rev().take_while(neighbour).filter(|other| same_segment(clauses, *other, at));
    forward.chain(backward).any(is_so)
}
