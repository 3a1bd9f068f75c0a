//! A generated query: text with places for parts that can be put in, left out or simplified, which is all
//! that making a failing query smaller needs.

/// What a part of a query gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Vector,
    Scalar,
    Range,
}

/// A piece of a query's text.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// May be left out.
    Optional(String),
    /// A part of its own.
    Part(Tree),
}

/// A query or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) kind: Kind,
    /// Whether both programs must come to the same bits: nothing in it is summed or approximated.
    pub(super) exact: bool,
    pub(super) pieces: Vec<Piece>,
}

impl Tree {
    pub(super) fn new(kind: Kind, exact: bool, pieces: Vec<Piece>) -> Self {
        Self {
            kind,
            exact,
            pieces,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(one) | Piece::Optional(one) => text.push_str(one),
                Piece::Part(part) => part.write(text),
            }
        }
    }

    /// All that is one step simpler than this: parts in the place of wholes, less text.
    pub(super) fn simpler(&self) -> Vec<Self> {
        let mut found = Vec::new();
        for part in self.parts() {
            if part.kind == self.kind {
                found.push(part.clone());
            }
        }
        if self.parts().next().is_some() || self.pieces.len() > 1 {
            found.push(leaf(self.kind));
        }
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(_) => {}
                Piece::Optional(_) => {
                    let mut shorter = self.clone();
                    shorter.pieces.remove(index);
                    found.push(shorter);
                }
                Piece::Part(part) => {
                    for simpler in part.simpler() {
                        let mut changed = self.clone();
                        if let Some(place) = changed.pieces.get_mut(index) {
                            *place = Piece::Part(simpler);
                        }
                        found.push(changed);
                    }
                }
            }
        }
        found
    }

    fn parts(&self) -> impl Iterator<Item = &Self> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) | Piece::Optional(_) => None,
        })
    }
}

fn leaf(kind: Kind) -> Tree {
    let text = match kind {
        Kind::Vector => "load",
        Kind::Scalar => "1",
        Kind::Range => "load[5m]",
    };
    Tree::new(kind, true, vec![Piece::Text(text.to_owned())])
}

/// A piece of plain text.
pub(super) fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Piece, Tree, text};

    #[test]
    fn gets_simpler() {
        let inner = Tree::new(
            Kind::Vector,
            true,
            vec![text("a"), Piece::Optional("{b=\"c\"}".to_owned())],
        );
        let whole = Tree::new(
            Kind::Vector,
            true,
            vec![text("abs("), Piece::Part(inner), text(")")],
        );
        assert_eq!(whole.text(), "abs(a{b=\"c\"})");
        let simpler: Vec<String> = whole.simpler().iter().map(Tree::text).collect();
        assert_eq!(simpler, ["a{b=\"c\"}", "load", "abs(load)", "abs(a)"]);
    }
}
