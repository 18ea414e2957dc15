//! Repeat rules: from the items of a series to an RRULE (RFC 5545 section 3.3.10) that gives exactly its dates.
//!
//! Notes keeps the dates of a series, and its rule only for show: so a rule is written if its expansion is the list of
//! dates, and none otherwise. Every series of Notes ends.

use crate::conversion::calendar::vtimezone::weekday_name;
use crate::notes::document::Note;
use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule without its end.
#[derive(Clone, Debug)]
pub struct Rule {
    frequency: Frequency,
    interval: i32,
    /// Told where it matters.
    week_start: Option<Weekday>,
    /// With the place in the month: 1 the first, -1 the last, 0 every one.
    weekdays: Vec<(i8, Weekday)>,
    /// Negative ones count from the end.
    month_days: Vec<i8>,
}

impl Rule {
    /// The rule of a document that gives these dates, which ascend.
    pub fn verified(note: &Note, dates: &[Date]) -> Option<Self> {
        candidates(note).into_iter().find(|rule| rule.gives(dates))
    }

    /// The value of an RRULE that ends at `until`.
    pub fn text(&self, until: &str) -> String {
        let mut text = match self.frequency {
            Frequency::Daily => "FREQ=DAILY",
            Frequency::Weekly => "FREQ=WEEKLY",
            Frequency::Monthly => "FREQ=MONTHLY",
            Frequency::Yearly => "FREQ=YEARLY",
        }
        .to_owned();
        if self.interval > 1 {
            append!(text, ";INTERVAL={}", self.interval);
        }
        append!(text, ";UNTIL={until}");
        if let Some(day) = self.week_start {
            append!(text, ";WKST={}", weekday_name(day));
        }
        let list = |values: Vec<String>| values.join(",");
        if !self.month_days.is_empty() {
            append!(text, ";BYMONTHDAY={}", list(self.month_days.iter().map(ToString::to_string).collect()));
        }
        if !self.weekdays.is_empty() {
            let day = |(place, weekday): &(i8, Weekday)| match place {
                0 => weekday_name(*weekday).to_owned(),
                _ => format!("{place}{}", weekday_name(*weekday)),
            };
            append!(text, ";BYDAY={}", list(self.weekdays.iter().map(day).collect()));
        }
        text
    }

    fn gives(&self, dates: &[Date]) -> bool {
        let (Some(&first), Some(&last)) = (dates.first(), dates.last()) else { return false };
        let mut expected = dates.iter();
        let mut period = Some(self.start_of_period(first));
        // Each period is later than the one before, so this ends with the last date at the latest.
        while let Some(start) = period.filter(|start| *start <= last) {
            for date in self.dates_of(start, first).into_iter().filter(|date| (first..=last).contains(date)) {
                if expected.next() != Some(&date) {
                    return false;
                }
            }
            period = start.checked_add(self.step()).ok();
        }
        expected.next().is_none()
    }

    fn step(&self) -> Span {
        match self.frequency {
            Frequency::Daily => self.interval.days(),
            Frequency::Weekly => self.interval.weeks(),
            Frequency::Monthly => self.interval.months(),
            Frequency::Yearly => self.interval.years(),
        }
    }

    fn start_of_period(&self, first: Date) -> Date {
        match self.frequency {
            Frequency::Daily => first,
            Frequency::Weekly => {
                let days = first.weekday().since(self.week_start.unwrap_or(Weekday::Monday));
                first.saturating_sub(i32::from(days).days())
            }
            Frequency::Monthly => first.first_of_month(),
            Frequency::Yearly => first.first_of_year(),
        }
    }

    /// The dates of the period that begins at `start`, ascending.
    fn dates_of(&self, start: Date, first: Date) -> Vec<Date> {
        let wanted = |date: &Date| self.weekdays.iter().any(|(_, weekday)| *weekday == date.weekday());
        let mut dates: Vec<Date> = match self.frequency {
            Frequency::Daily => vec![start],
            Frequency::Weekly => (0..7).filter_map(|day: i32| start.checked_add(day.days()).ok()).collect(),
            Frequency::Monthly if !self.month_days.is_empty() => {
                self.month_days.iter().filter_map(|day| day_of_month(start, *day)).collect()
            }
            Frequency::Monthly => self
                .weekdays
                .iter()
                .filter_map(|(place, weekday)| start.nth_weekday_of_month(*place, *weekday).ok())
                .collect(),
            Frequency::Yearly => Date::new(start.year(), first.month(), first.day()).into_iter().collect(),
        };
        if !self.weekdays.is_empty() {
            dates.retain(wanted);
        }
        dates.sort();
        dates.dedup();
        dates
    }
}

fn day_of_month(month: Date, day: i8) -> Option<Date> {
    let day = if day < 0 { month.days_in_month() + 1 + day } else { day };
    Date::new(month.year(), month.month(), day).ok()
}

/// What the items may mean, the likeliest first. Two texts of the vendor differ in the letters, so both are taken.
fn candidates(note: &Note) -> Vec<Rule> {
    let frequency = match note.text("RepeatUnit").trim().to_ascii_uppercase().as_str() {
        "D" => Frequency::Daily,
        "W" => Frequency::Weekly,
        "MD" | "MP" => Frequency::Monthly,
        "Y" | "YD" => Frequency::Yearly,
        _ => return Vec::new(),
    };
    let interval = note.number("RepeatInterval").filter(|number| (1.0..=1000.0).contains(number));
    let rule = Rule {
        frequency,
        interval: interval.unwrap_or(1.0) as i32,
        week_start: None,
        weekdays: Vec::new(),
        month_days: Vec::new(),
    };
    let adjust = note.texts("RepeatAdjust");
    let from_end = note.flag("RepeatFromEnd");
    match frequency {
        Frequency::Daily => vec![rule.clone(), rule.on_workdays()],
        Frequency::Weekly => weekly(rule, &adjust),
        Frequency::Yearly => vec![rule],
        Frequency::Monthly if note.text("RepeatUnit").trim().eq_ignore_ascii_case("MP") => {
            by_place(&rule, &adjust, from_end)
        }
        Frequency::Monthly => {
            let days = adjust.iter().filter_map(|day| day.trim().parse::<i8>().ok());
            let mut days: Vec<i8> = days.filter(|day| (1..=31).contains(day)).collect();
            days.sort_unstable();
            days.dedup();
            if from_end {
                days.iter_mut().for_each(|day| *day = -*day);
            }
            if days.is_empty() {
                return Vec::new();
            }
            let rule = Rule { month_days: days, ..rule };
            vec![rule.clone(), rule.on_workdays()]
        }
    }
}

impl Rule {
    /// Occurrences at a weekend are dropped.
    fn on_workdays(self) -> Self {
        let weekdays = Weekday::Monday.cycle_forward().take(5).map(|day| (0, day)).collect();
        Self { weekdays, ..self }
    }
}

/// Weekdays count from 0, which is Sunday. With an interval it matters where a week begins, and Notes does not tell.
fn weekly(rule: Rule, adjust: &[String]) -> Vec<Rule> {
    let days = adjust.iter().filter_map(|day| weekday(day.trim()));
    let mut weekdays: Vec<(i8, Weekday)> = days.map(|day| (0, day)).collect();
    weekdays.sort_by_key(|(_, day)| day.to_monday_zero_offset());
    weekdays.dedup();
    if weekdays.is_empty() {
        return Vec::new();
    }
    let rule = Rule { weekdays, ..rule };
    if rule.interval == 1 || rule.weekdays.len() == 1 {
        return vec![rule];
    }
    let beginning = |day| Rule { week_start: Some(day), ..rule.clone() };
    vec![beginning(Weekday::Sunday), beginning(Weekday::Monday)]
}

/// `2.0`: the second Sunday.
fn by_place(rule: &Rule, adjust: &[String], from_end: bool) -> Vec<Rule> {
    let parse = |text: &String| {
        let (place, day) = text.trim().split_once('.')?;
        let place = place.parse::<i8>().ok().filter(|place| (1..=5).contains(place))?;
        Some((place, weekday(day)?))
    };
    let places: Vec<(i8, Weekday)> = adjust.iter().filter_map(parse).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let placed = |place: &dyn Fn(i8) -> i8| {
        let weekdays = places.iter().map(|(week, day)| (place(*week), *day)).collect();
        Rule { weekdays, ..rule.clone() }
    };
    if from_end {
        return vec![placed(&|week| -week)];
    }
    // The fifth is the last where a month has only four.
    vec![placed(&|week| week), placed(&|week| if week == 5 { -1 } else { week })]
}

fn weekday(text: &str) -> Option<Weekday> {
    Weekday::from_sunday_zero_offset(text.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(frequency: Frequency, interval: i32) -> Rule {
        Rule { frequency, interval, week_start: None, weekdays: Vec::new(), month_days: Vec::new() }
    }

    fn dates(texts: &[&str]) -> Vec<Date> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_rule_gives_its_dates_and_no_others() {
        let every_third_day = rule(Frequency::Daily, 3);
        assert!(every_third_day.gives(&dates(&["2024-02-27", "2024-03-01", "2024-03-04"])));
        assert!(!every_third_day.gives(&dates(&["2024-02-27", "2024-03-04"])));
        assert!(!every_third_day.gives(&dates(&["2024-02-27", "2024-03-02"])));
        let last_day = Rule { month_days: vec![-1], ..rule(Frequency::Monthly, 1) };
        assert!(last_day.gives(&dates(&["2024-01-31", "2024-02-29", "2024-03-31"])));
        let leap_day = rule(Frequency::Yearly, 1);
        assert!(leap_day.gives(&dates(&["2020-02-29", "2024-02-29"])));
    }

    // Every second week on Sunday and Monday: whether they are of one week depends on its first day.
    #[test]
    fn the_first_day_of_the_week_is_found() {
        let two = |text: &str| text.to_owned();
        let rules = weekly(rule(Frequency::Weekly, 2), &[two("0"), two("1")]);
        let sunday_first = dates(&["2024-03-03", "2024-03-04", "2024-03-17", "2024-03-18"]);
        let monday_first = dates(&["2024-03-04", "2024-03-10", "2024-03-18", "2024-03-24"]);
        let found = |dates: &[Date]| rules.iter().find(|rule| rule.gives(dates)).unwrap().text("X");
        assert_eq!(found(&sunday_first), "FREQ=WEEKLY;INTERVAL=2;UNTIL=X;WKST=SU;BYDAY=MO,SU");
        assert_eq!(found(&monday_first), "FREQ=WEEKLY;INTERVAL=2;UNTIL=X;WKST=MO;BYDAY=MO,SU");
    }
}
