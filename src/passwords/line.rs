//! Who waits for a hash, and whose turn is next.
//!
//! A flood of guesses comes from somewhere. So turns are handed out by where a caller comes from: next is whoever waits from
//! the place that was served least since its last right password. However many guess, a person from elsewhere waits for the
//! hash that is under way and those of other newcomers, and not for the whole line.

use std::collections::{HashMap, VecDeque};

/// Of how many places it is remembered how often they were served.
const REMEMBERED: usize = 4096;

/// After so many turns each counts half: what was long ago weighs little.
const HALF_LIFE: u64 = 4096;

/// Callers that wait, by the place that they come from.
#[derive(Debug)]
pub(super) struct Line<T> {
    waiting: HashMap<String, VecDeque<(u64, T)>>,
    served: HashMap<String, u64>,
    arrivals: u64,
    turns: u64,
    most: usize,
}

/// What became of a caller that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined<T> {
    /// It waits.
    Waiting,
    /// It waits, and this one had to go: the newest of the place that has the most.
    InsteadOf(T),
    /// The line is full, and nobody else has a larger part of it.
    Full(T),
}

impl<T> Line<T> {
    /// An empty line of at most `most` callers.
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: HashMap::new(), served: HashMap::new(), arrivals: 0, turns: 0, most }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Puts a caller from `place` in line. Those that are `gone` leave it first when it is full.
    pub(super) fn join(&mut self, place: &str, caller: T, gone: impl Fn(&T) -> bool) -> Joined<T> {
        if self.len() >= self.most {
            self.leave(gone);
        }
        let mut evicted = None;
        if self.len() >= self.most {
            let own = self.waiting.get(place).map_or(0, VecDeque::len);
            let largest = self.waiting.iter().max_by_key(|(_, callers)| callers.len());
            // An exchange must leave the newcomer's place the smaller one, or two would drive each other out for ever.
            match largest.filter(|(_, callers)| callers.len() > own.saturating_add(1)) {
                Some((name, _)) => {
                    let name = name.clone();
                    evicted = self.waiting.get_mut(&name).and_then(VecDeque::pop_back);
                }
                None => return Joined::Full(caller),
            }
        }
        self.arrivals += 1;
        self.waiting.entry(place.to_owned()).or_default().push_back((self.arrivals, caller));
        evicted.map_or(Joined::Waiting, |(_, caller)| Joined::InsteadOf(caller))
    }

    /// Takes out whoever is next.
    pub(super) fn next(&mut self) -> Option<T> {
        let turn = |(place, callers): &(&String, &VecDeque<(u64, T)>)| {
            (self.served.get(*place), callers.front().map(|(arrived, _)| *arrived))
        };
        let place = self.waiting.iter().min_by_key(turn).map(|(place, _)| place.clone())?;
        let callers = self.waiting.get_mut(&place)?;
        let caller = callers.pop_front().map(|(_, caller)| caller);
        if callers.is_empty() {
            self.waiting.remove(&place);
        }
        self.serve(&place);
        caller
    }

    /// Notes that a caller from `place` has its turn.
    pub(super) fn serve(&mut self, place: &str) {
        self.turns += 1;
        if self.turns.is_multiple_of(HALF_LIFE) {
            self.halve();
        }
        if let Some(count) = self.served.get_mut(place) {
            *count += 1;
            return;
        }
        while self.served.len() >= REMEMBERED {
            self.halve();
        }
        self.served.insert(place.to_owned(), 1);
    }

    /// Notes that a caller from `place` was right: whoever guesses is not.
    pub(super) fn forgive(&mut self, place: &str) {
        self.served.remove(place);
    }

    fn halve(&mut self) {
        self.served.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
    }

    fn leave(&mut self, gone: impl Fn(&T) -> bool) {
        self.waiting.retain(|_, callers| {
            callers.retain(|(_, caller)| !gone(caller));
            !callers.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_stay<T>(_: &T) -> bool {
        false
    }

    /// A line with these callers: the letter is the place, the whole text the caller.
    fn line(most: usize, callers: &[&'static str]) -> (Line<&'static str>, Vec<Joined<&'static str>>) {
        let mut line = Line::new(most);
        let joined = callers.iter().map(|caller| line.join(&caller[..1], *caller, all_stay)).collect();
        (line, joined)
    }

    fn order(line: &mut Line<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| line.next()).collect()
    }

    #[test]
    fn places_take_turns_in_the_order_in_which_they_came() {
        for (name, callers, expected) in [
            ("nobody", &[][..], &[][..]),
            ("one place is a queue", &["a1", "a2", "a3"], &["a1", "a2", "a3"]),
            ("two alternate", &["a1", "a2", "a3", "b1", "b2"], &["a1", "b1", "a2", "b2", "a3"]),
            ("many places are a queue", &["c1", "a1", "b1"], &["c1", "a1", "b1"]),
        ] {
            let (mut line, _) = line(10, callers);
            assert_eq!(order(&mut line), expected, "{name}");
            assert_eq!(line.len(), 0, "{name}");
        }
    }

    #[test]
    fn a_newcomer_comes_before_those_who_were_served() {
        let (mut line, _) = line(10, &["a1", "b1", "a2", "b2"]);
        assert_eq!([line.next(), line.next()], [Some("a1"), Some("b1")]);
        line.join("c", "c1", all_stay);
        assert_eq!(order(&mut line), ["c1", "a2", "b2"]);
    }

    #[test]
    fn a_full_line_takes_from_whoever_has_the_most() {
        use Joined::{Full, InsteadOf, Waiting};
        for (name, callers, last, expected) in [
            ("it has all", ["a1", "a2", "a3"], "a4", Full("a4")),
            ("a newcomer", ["a1", "a2", "a3"], "b1", InsteadOf("a3")),
            ("nobody has more than one", ["a1", "b1", "c1"], "d1", Full("d1")),
            ("an exchange would turn the sides", ["a1", "a2", "b1"], "b2", Full("b2")),
        ] {
            let (mut line, joined) = line(3, &callers);
            assert_eq!(joined, [Waiting, Waiting, Waiting], "{name}");
            assert_eq!(line.join(&last[..1], last, all_stay), expected, "{name}");
            assert_eq!(line.len(), 3, "{name}");
        }
        assert_eq!(line(0, &["a1"]).1, [Full("a1")]);
    }

    #[test]
    fn who_is_gone_makes_room() {
        let (mut line, _) = line(2, &["a1", "b1"]);
        assert_eq!(line.join("c", "c1", |caller| *caller == "a1"), Joined::Waiting);
        assert_eq!(order(&mut line), ["b1", "c1"]);
    }

    #[test]
    fn a_place_with_a_right_password_comes_before_those_that_guess() {
        let (mut line, _) = line(10, &["a1", "b1", "a2", "b2", "a3", "b3"]);
        assert_eq!([line.next(), line.next()], [Some("a1"), Some("b1")]);
        line.forgive("b");
        assert_eq!(order(&mut line), ["b2", "a2", "b3", "a3"]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_fades() {
        let mut line = Line::<()>::new(1);
        line.serve("often");
        line.serve("often");
        for place in 0..REMEMBERED {
            line.serve(&place.to_string());
            assert!(line.served.len() <= REMEMBERED);
        }
        assert_eq!(line.served.get("often"), Some(&1), "it weighs half");
        assert_eq!(line.served.get("0"), None, "and the others nothing");
        for _ in 0..HALF_LIFE {
            line.serve("other");
        }
        assert_eq!(line.served.get("often"), None);
    }
}
