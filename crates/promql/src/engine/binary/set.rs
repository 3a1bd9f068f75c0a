//! `and`, `or`, `unless`.

use super::super::names::joined;
use super::super::value::Row;
use super::super::{Column, Steps};
use super::matching::Signatures;
use crate::ast::{Binary, BinaryOperator};
use crate::error::QueryError;

/// Combines two vectors: at each step a side's sample stays or goes by whether the other side has one with the
/// same signature.
pub(super) fn combined(
    binary: &Binary,
    left: Vec<Row>,
    right: Vec<Row>,
    steps: Steps,
) -> Result<Vec<Row>, QueryError> {
    let mut signatures = Signatures::new(binary.matching.as_ref());
    let left: Vec<(usize, Row)> = signatures.numbered(left);
    let right: Vec<(usize, Row)> = signatures.numbered(right);
    match binary.operator {
        BinaryOperator::Or => {
            let present = presence(&left, signatures.count(), steps);
            let mut rows: Vec<Row> = left.into_iter().map(|(_, row)| row).collect();
            rows.extend(filtered(right, &present, false));
            // A series may come from the left at one step and from the right at another.
            joined(rows)
        }
        BinaryOperator::Unless => {
            let present = presence(&right, signatures.count(), steps);
            Ok(filtered(left, &present, false))
        }
        _ => {
            let present = presence(&right, signatures.count(), steps);
            Ok(filtered(left, &present, true))
        }
    }
}

/// At which steps each signature has a sample.
fn presence(rows: &[(usize, Row)], signatures: usize, steps: Steps) -> Vec<Vec<bool>> {
    let mut present: Vec<Vec<bool>> = vec![Vec::new(); signatures];
    for (signature, row) in rows {
        let Some(present) = present.get_mut(*signature) else {
            continue;
        };
        present.resize(steps.count, false);
        for (step, _) in row.column.iter() {
            if let Some(slot) = present.get_mut(step) {
                *slot = true;
            }
        }
    }
    present
}

/// The samples whose signature is present on the other side, or those whose is not.
fn filtered(rows: Vec<(usize, Row)>, present: &[Vec<bool>], wanted: bool) -> Vec<Row> {
    let mut result = Vec::with_capacity(rows.len());
    for (signature, row) in rows {
        let other = present.get(signature).map_or(&[][..], Vec::as_slice);
        let column: Column = row.column.filter_map(|step, cell| {
            let is_present = other.get(step).copied().unwrap_or(false);
            (is_present == wanted).then_some(cell)
        });
        if !column.is_empty() {
            result.push(Row { column, ..row });
        }
    }
    result
}
