//! Terminal tables: one look for every verb.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};

/// A table without frames, its header in capitals; columns in `numeric` are aligned to the right.
pub fn table(header: &[&str], numeric: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().map(|text| text.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    for column in numeric {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
