//! The header `Retry-After`.

use super::content_range::number;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Milliseconds that a server asks to wait: of seconds (`120`) or of a date in the form that all servers must send
/// (`Sun, 06 Nov 1994 08:49:37 GMT`). `now` is milliseconds since 1970; a date that has passed is 0. The two obsolete
/// forms of dates, and anything else, are no answer.
///
/// Source: RFC 9110, sections 5.6.7 and 10.2.3.
pub fn parse_retry_after(header: &str, now: f64) -> Option<f64> {
    let header = header.trim();
    if let Some(seconds) = number(header) {
        return Some(seconds as f64 * 1000.0);
    }
    Some((date(header)? as f64 * 1000.0 - now).max(0.0))
}

/// Seconds since 1970 of an IMF-fixdate.
fn date(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once(", ")?;
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts.as_slice() else { return None };
    let (month, _) = (1..).zip(MONTHS).find(|(_, name)| name == month)?;
    let clock: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = clock.as_slice() else { return None };
    let [day, hour, minute, second] =
        [limited(day, 31)?, limited(hour, 23)?, limited(minute, 59)?, limited(second, 60)?];
    let year = limited(year, 9999)?;
    Some(days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn limited(digits: &str, most: i64) -> Option<i64> {
    let number = i64::try_from(number(digits)?).ok()?;
    (number <= most).then_some(number)
}

/// Days of the proleptic Gregorian calendar. A year is counted from March, so that a leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(parse_retry_after(" 120 ", 0.0), Some(120_000.0));
        // The example of RFC 9110, section 5.6.7, is 784 111 777 seconds after 1970.
        let header = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parse_retry_after(header, 784_111_770_000.0), Some(7000.0));
        assert_eq!(parse_retry_after(header, 784_111_780_000.0), Some(0.0));
        assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), Some(0.0));
        assert_eq!(parse_retry_after("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_799_000.0), Some(1000.0));
    }

    #[test]
    fn anything_else_is_no_answer() {
        for header in
            ["", "-1", "1.5", "soon", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov"]
        {
            assert_eq!(parse_retry_after(header, 0.0), None, "{header}");
        }
    }
}
