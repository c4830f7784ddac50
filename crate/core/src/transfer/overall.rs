//! How far all downloads are together.

/// A download, for [`Overall`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferId(u64);

/// Bytes done and to come of everything that was asked for. What is done never grows less: a transfer that starts
/// afresh counts again when it has come further than it was.
#[derive(Debug, Clone, Default)]
pub struct Overall {
    next: u64,
    done: u64,
    under_way: Vec<UnderWay>,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    id: TransferId,
    loaded: u64,
    total: Option<u64>,
}

impl Overall {
    /// Something was asked for, whose size may be known.
    pub fn open(&mut self, total: Option<u64>) -> TransferId {
        let id = TransferId(self.next);
        self.next += 1;
        self.under_way.push(UnderWay { id, loaded: 0, total });
        id
    }

    /// So much of it has come, and so much is thought to be its size.
    pub fn advance(&mut self, id: TransferId, loaded: u64, total: Option<u64>) {
        if let Some(transfer) = self.under_way.iter_mut().find(|transfer| transfer.id == id) {
            transfer.loaded = transfer.loaded.max(loaded);
            transfer.total = total.map(|total| total.max(transfer.loaded));
        }
    }

    /// No more will come of it, for better or worse.
    pub fn close(&mut self, id: TransferId) {
        if let Some(index) = self.under_way.iter().position(|transfer| transfer.id == id) {
            self.done += self.under_way.swap_remove(index).loaded;
        }
    }

    /// Bytes that have come, and bytes in all, where the size of everything under way is known.
    pub fn sum(&self) -> (u64, Option<u64>) {
        let loaded = self.under_way.iter().map(|transfer| transfer.loaded).sum::<u64>();
        let total = self.under_way.iter().map(|transfer| transfer.total).sum::<Option<u64>>();
        (self.done + loaded, total.map(|total| self.done + total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_known_when_every_size_is() {
        let mut overall = Overall::default();
        assert_eq!(overall.sum(), (0, Some(0)));
        let (first, second) = (overall.open(Some(10)), overall.open(None));
        overall.advance(first, 4, Some(10));
        assert_eq!(overall.sum(), (4, None));
        overall.advance(second, 5, Some(20));
        assert_eq!(overall.sum(), (9, Some(30)));
        overall.close(first);
        assert_eq!(overall.sum(), (9, Some(24)));
    }

    #[test]
    fn what_is_done_never_grows_less() {
        let mut overall = Overall::default();
        let id = overall.open(None);
        overall.advance(id, 8, Some(10));
        overall.advance(id, 0, Some(10));
        assert_eq!(overall.sum(), (8, Some(10)));
        overall.advance(id, 9, Some(5));
        assert_eq!(overall.sum(), (9, Some(9)));
        overall.close(id);
        overall.close(id);
        overall.advance(id, 100, None);
        assert_eq!(overall.sum(), (9, Some(9)));
    }
}
