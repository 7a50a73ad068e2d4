//! The memory of hashes, kept from one to the next.
//!
//! A hash of the standard profile fills 19 MiB. Fresh from the operating system that is 4,864 pages to be mapped and cleared,
//! which took 10 ms of the 28 that a sign-in cost. So what a hash has used the next one uses, and it is given back when
//! nobody has signed in for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};

use vestibule_argon2id::Block;

/// What is kept of one hash at most, in bytes, and the size from which glibc asks the operating system for each piece, and
/// gives it back with its end: smaller ones it would keep for the thread that had them, for ever.
const KEPT: usize = 32 * 1024 * 1024;
/// Below this, in bytes, glibc may keep it.
const SMALL: usize = 1024 * 1024;

/// Memory for hashes: never more pieces than hashes were computed at once.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    free: Vec<Vec<Block>>,
    lent: usize,
}

/// A room in use, which comes back when it is dropped.
struct Lent<'a> {
    rooms: &'a Rooms,
    room: Vec<Block>,
}

impl Rooms {
    /// What `work` makes of memory for so many blocks, which hold whatever the hash before left in them; none when there is
    /// no memory.
    pub(super) fn lend<T>(&self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> Option<T> {
        let mut lent = self.take(blocks)?;
        lent.room.get_mut(..blocks).map(work)
    }

    /// Gives what no hash uses back to the operating system; tells whether that was everything.
    pub(super) fn clear(&self) -> bool {
        let mut state = self.state();
        state.free = Vec::new();
        state.lent == 0
    }

    fn take(&self, blocks: usize) -> Option<Lent<'_>> {
        let kept = self.state().free.pop();
        let room = kept.filter(|room| room.len() >= blocks).or_else(|| make(blocks))?;
        self.state().lent += 1;
        Some(Lent { rooms: self, room })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.rooms.state();
        state.lent -= 1;
        if self.room.len() * Block::SIZE <= KEPT {
            state.free.push(std::mem::take(&mut self.room));
        }
    }
}

/// Room for so many blocks. What of its capacity is never touched costs nothing.
fn make(blocks: usize) -> Option<Vec<Block>> {
    let capacity = if blocks * Block::SIZE > SMALL { blocks.max(KEPT / Block::SIZE + 1) } else { blocks };
    let mut room = Vec::new();
    room.try_reserve_exact(capacity).ok()?;
    room.resize(blocks, Block::default());
    Some(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(rooms: &Rooms) -> Vec<usize> {
        rooms.state().free.iter().map(Vec::len).collect()
    }

    #[test]
    fn a_hash_uses_what_the_one_before_it_had_until_it_is_given_back() {
        let rooms = Rooms::default();
        let place = |blocks| rooms.lend(blocks, |room| (room.as_ptr() as usize, room.len())).unwrap();
        let (first, length) = place(64);
        assert_eq!((length, held(&rooms)), (64, vec![64]));
        assert_eq!(place(32), (first, 32), "smaller, in the same place");
        assert_eq!(place(128).1, 128);
        assert_eq!(held(&rooms), [128], "the larger one in place of the smaller");
        assert!(rooms.clear());
        assert_eq!(held(&rooms), [0; 0]);
    }

    #[test]
    fn two_at_once_have_a_room_each_and_what_is_too_large_is_not_kept() {
        let rooms = Rooms::default();
        let apart = rooms
            .lend(8, |outer| {
                assert!(!rooms.clear(), "one is in use");
                let outer = outer.as_ptr() as usize;
                rooms.lend(8, |inner| inner.as_ptr() as usize != outer).unwrap()
            })
            .unwrap();
        assert!(apart);
        assert_eq!(held(&rooms), [8, 8]);
        rooms.clear();
        rooms.lend(KEPT / Block::SIZE + 1, |_| ()).unwrap();
        assert_eq!(held(&rooms), [0; 0]);
    }
}
