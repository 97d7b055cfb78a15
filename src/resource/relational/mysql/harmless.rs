//! The words that may stand before a parenthesis and leave nothing behind.

use std::cmp::Ordering;

/// Whether a name before a parenthesis is a word of SQL, or a function of the server's own that leaves nothing behind. A
/// function of a user may do anything: it is not among them, whatever its name.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.binary_search_by(|known| compare(known, name)).is_ok()
}

fn compare(known: &str, name: &str) -> Ordering {
    known.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_uppercase()))
}

/// In the order of the alphabet.
#[rustfmt::skip]
const HARMLESS: [&str; 148] = [
    "ABS", "ADDDATE", "ADDTIME", "ALL", "AND", "ANY", "AS", "ASCII", "AVG", "BETWEEN", "BIGINT", "BINARY", "BIT_AND",
    "BIT_COUNT", "BIT_LENGTH", "BIT_OR", "BIT_XOR", "BY", "CASE", "CAST", "CEIL", "CEILING", "CHAR", "CHARACTER_LENGTH",
    "CHAR_LENGTH", "COALESCE", "CONCAT", "CONCAT_WS", "CONVERT", "COS", "COUNT", "CURDATE", "CURRENT_DATE",
    "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURTIME", "DATE", "DATEDIFF", "DATETIME", "DATE_ADD", "DATE_FORMAT",
    "DATE_SUB", "DAY", "DAYNAME", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "DECIMAL", "DENSE_RANK", "DISTINCT",
    "DUPLICATE", "ELSE", "ELT", "EXCEPT", "EXISTS", "EXP", "EXTRACT", "FIELD", "FIND_IN_SET", "FIRST_VALUE", "FLOOR",
    "FORMAT", "FROM", "FROM_UNIXTIME", "GREATEST", "GROUP_CONCAT", "HAVING", "HEX", "HOUR", "IF", "IFNULL", "IN",
    "INNER", "INSTR", "INTERSECT", "INTERVAL", "IS", "ISNULL", "JOIN", "JSON_ARRAYAGG", "JSON_EXTRACT",
    "JSON_OBJECTAGG", "JSON_VALUE", "KEY", "LAG", "LAST_VALUE", "LCASE", "LEAD", "LEAST", "LEFT", "LENGTH", "LIKE",
    "LIMIT", "LN", "LOCATE", "LOG", "LOWER", "LPAD", "LTRIM", "MAX", "MD5", "MICROSECOND", "MID", "MIN", "MINUTE",
    "MOD", "MONTH", "NOT", "NOW", "NTILE", "NULLIF", "ON", "OR", "OVER", "PARTITION", "POSITION", "POW", "POWER",
    "QUARTER", "RANK", "REPLACE", "REVERSE", "RIGHT", "ROUND", "ROW_NUMBER", "RPAD", "RTRIM", "SECOND", "SELECT",
    "SHA2", "SIGN", "SQRT", "STDDEV", "SUBSTR", "SUBSTRING", "SUM", "TIMESTAMP", "TRIM", "TRUNCATE", "UCASE", "UNHEX",
    "UNION", "UPPER", "USING", "VALUES", "WHEN", "WHERE", "YEAR",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_in_order() {
        assert!(HARMLESS.is_sorted());
        assert!(is_harmless("count") && is_harmless("YEAR") && !is_harmless("get_lock"));
    }
}
