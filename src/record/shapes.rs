//! Characters that are drawn and not written: lines, block elements and signs. A glyph of a line leaves gaps between cells.

/// Whether a character is one of the signs that fonts draw as wide as they like: arrows, shapes and marks.
pub(super) fn is_sign(symbol: char) -> bool {
    matches!(symbol, '\u{2190}'..='\u{21ff}' | '\u{25a0}'..='\u{27ff}') && arms(symbol).is_none()
}

/// Weights of a line's arms: up, right, down, left; 0 none, 1 light, 2 heavy.
pub(super) type Arms = [u8; 4];

/// The arms of a character that is a line.
pub(super) fn arms(symbol: char) -> Option<Arms> {
    Some(match symbol {
        '─' => [0, 1, 0, 1],
        '━' => [0, 2, 0, 2],
        '│' => [1, 0, 1, 0],
        '┃' => [2, 0, 2, 0],
        '┌' | '╭' => [0, 1, 1, 0],
        '┐' | '╮' => [0, 0, 1, 1],
        '└' | '╰' => [1, 1, 0, 0],
        '┘' | '╯' => [1, 0, 0, 1],
        '├' => [1, 1, 1, 0],
        '┤' => [1, 0, 1, 1],
        '┬' => [0, 1, 1, 1],
        '┭' => [0, 1, 1, 2],
        '┮' => [0, 2, 1, 1],
        '┯' => [0, 2, 1, 2],
        '┴' => [1, 1, 0, 1],
        '┵' => [1, 1, 0, 2],
        '┶' => [1, 2, 0, 1],
        '┷' => [1, 2, 0, 2],
        '┼' => [1, 1, 1, 1],
        '┿' => [1, 2, 1, 2],
        '┠' => [2, 1, 2, 0],
        '┨' => [2, 0, 2, 1],
        '┣' => [2, 2, 2, 0],
        '┫' => [2, 0, 2, 2],
        '┳' => [0, 2, 2, 2],
        '┻' => [2, 2, 0, 2],
        '╋' => [2, 2, 2, 2],
        '╴' => [0, 0, 0, 1],
        '╵' => [1, 0, 0, 0],
        '╶' => [0, 1, 0, 0],
        '╷' => [0, 0, 1, 0],
        '┏' => [0, 2, 2, 0],
        '┓' => [0, 0, 2, 2],
        '┗' => [2, 2, 0, 0],
        '┛' => [2, 0, 0, 2],
        _ => return None,
    })
}

/// The part of its cell that a block element fills, in eighths: from the left and the top to the right and the bottom;
/// and how strong its ink is.
pub(super) fn block(symbol: char) -> Option<([u8; 4], u8)> {
    let part = |first: char| u8::try_from(u32::from(symbol) - u32::from(first)).unwrap_or_default();
    Some(match symbol {
        '▀' => ([0, 0, 8, 4], 255),
        '▁'..='█' => ([0, 7 - part('▁'), 8, 8], 255),
        '▉'..='▏' => ([0, 0, 7 - part('▉'), 8], 255),
        '▐' => ([4, 0, 8, 8], 255),
        '░'..='▓' => ([0, 0, 8, 8], 64 * (1 + part('░'))),
        '▔' => ([0, 0, 8, 1], 255),
        '▕' => ([7, 0, 8, 8], 255),
        _ => return None,
    })
}
