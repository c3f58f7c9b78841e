"""Codes: the catalogue of what can be wrong, each with its stable code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A sort of fault: its stable code, its name, what it means, and how it is mended."""

    code: str
    name: str
    meaning: str
    remedy: str


TEXT = (
    Code("D001", "too-large", "A file of more than 4 MiB.", "Split it into several documents."),
    Code("D002", "bad-character", "A byte that is not UTF-8, or a character that may not stand in a policy.",
         "Save the file as UTF-8; take control characters away."),
    Code("D003", "not-yaml", "Text that is not YAML, or an alias without its anchor.",
         "Mend the line named; spaces indent, not tabs."),
    Code("D004", "duplicate-key", "A key that is there twice in one mapping.", "Keep one of the two."),
    Code("D005", "too-deep", "Values nested more than 64 deep.", "Write them flatter."),
    Code("D006", "tag", "A YAML tag such as `!!int`.", "Take it away; the key says what its value is."),
    Code("D007", "bad-key", "A key that is a list or a mapping.", "Write a text before the `:`."),
    Code("D008", "merge-key", "The merge key `<<`.", "Write the keys out where they hold."),
    Code("D009", "not-finite", "`.inf` or `.nan`, which no policy can use.",
         "Write a finite number, or quote the text."),
    Code("D010", "too-many-aliases", "Aliases that expand to more than 100,000 values.", "Write the values out."),
    Code("D011", "odd-key", "A key that cannot be what its author meant, such as `within:30m` without a space.",
         "Write `key: value`, with a space after the `:`."),
)  # fmt: skip
"""Faults in the text of a file."""

SHAPE = (
    Code("D101", "unknown-key", "A key that means nothing where it stands.",
         "Correct its spelling, or take it away."),
    Code("D102", "missing-key", "A key that must be there is not: a question that the policy leaves unanswered.",
         "Add the key; the help says what it decides."),
    Code("D103", "wrong-type", "A list, a mapping, a text or a number stands where something else is wanted.",
         "Write what is expected; quote a text that looks like a number."),
    Code("D104", "not-one-of", "A word that is not one of those that may stand there.",
         "Choose one of the words named."),
    Code("D105", "bad-form", "A text that has not the form wanted, such as a duration, an instant or a reference.",
         "Write it in the form of the example."),
    Code("D106", "out-of-range", "A number, a text or a list that is too small, too large or empty.",
         "Stay within the limit named."),
    Code("D107", "choose-one", "None, or more than one, of several keys of which exactly one may stand.",
         "Keep one of them."),
    Code("D108", "misplaced-key", "A known key that does not go with the others beside it.",
         "Take it away, or move it to where it belongs."),
    Code("D109", "repeated", "An entry of a list that is there twice, or an `id` given twice.",
         "Keep one of the two, or give one another name."),
    Code("D110", "not-a-document", "A document that is not a mapping with `apiVersion`, `kind`, `metadata`, `spec`.",
         "Start from one of the examples of the language reference."),
    Code("D111", "unknown-kind", "A document without a `kind`, or of a kind that is not known.",
         "Write one of the kinds; tests stand in files named `*.test.yaml`."),
)  # fmt: skip
"""Faults in the shape of a document."""

MEANING = (
    Code("D201", "unknown-reference", "A role, group or person that is not in the Roster.",
         "Correct its spelling, or add it to a Roster document."),
    Code("D202", "unknown-name", "A clock, ladder, calendar, event, survey or template that nothing declares.",
         "Correct its spelling, or declare it."),
    Code("D203", "name-twice", "A name that two documents or entries of the set have.",
         "Give one of them another name."),
    Code("D204", "max-without-order", "`hit: max` for a field that is no ordered enum.",
         "Declare the field as an ordered enum, or use `hit: first`."),
    Code("D205", "asks-for-itself", "A table that asks for the very field that it sets.",
         "Ask for the fields that it follows from."),
    Code("D206", "tables-in-a-ring", "Tables that need each other's fields.",
         "Let one of them use only fields that come with the case."),
    Code("D207", "second-routing", "A second Routing document: the order of rules must be written in one place.",
         "Move its rules into the first."),
    Code("D208", "never-resumed", "A clock that an event pauses and nothing resumes.", "Add `resume`."),
    Code("D209", "no-instant", "A `due` field that is no instant, or that the starting event does not carry.",
         "Name a field of type `instant` that is there when the clock starts."),
    Code("D210", "before-itself", "A lead time before the clock itself.", "Name the clock whose due time counts."),
    Code("D211", "plain-days", "Plain days or weeks (`3d`) where a calendar applies.",
         "Write working days, hours of open time, or `calendar: always`."),
    Code("D212", "working-days-misplaced",
         "Working days (`2wd`) where a length of open time is needed, or on `always`.",
         "Write hours, or name a calendar with working days."),
    Code("D213", "no-working-day-rule", "Working days in a calendar that does not say how they count.",
         "Give the calendar `working_days`."),
    Code("D214", "reopen-unanswered", "A clock that can see a reopened case and does not say what that does to it.",
         "Add `reopen`."),
    Code("D215", "no-manifest", "A folder without a document of kind `PolicySet`.",
         "Write `duly.yaml`; `duly init` shows how."),
    Code("D216", "second-manifest", "A second PolicySet.", "Keep one."),
    Code("D217", "too-many-entries", "More than 10,000 entries in a set.", "Split the set."),
    Code("D218", "not-read", "A file that looks like a document and is not called `*.yaml`.",
         "Rename it, or move it out of the folder."),
    Code("D219", "empty-file", "A file of the set without a document in it (a warning).",
         "Write one, or take the file away."),
    Code("D220", "parameter-missing", "A parameter that has neither a value nor a default.",
         "Give it with `--param`, `--params` or a `default`."),
    Code("D221", "parameter-unknown", "A parameter that the manifest does not declare.",
         "Correct its spelling, or declare it under `spec.parameters`."),
    Code("D222", "parameter-unsuited", "A value that does not fit the parameter's type, or a place where it is used.",
         "Give a value of the type named."),
    Code("D230", "required-key", "An entry without the key that the manifest's `requires` asks of its sort.",
         "Add the key, or take the requirement out."),
    Code("D231", "odd-requirement", "A requirement that cannot be asked of what it names.",
         "Write `has: {target: CLOCK}` for cases, a key for entries, an enum for `not_longer_with`."),
    Code("D232", "no-target", "A sort of case that a clock promises nothing, against `requires`; it is named.",
         "Add a last target without `when`, or start the clock with `case.opened`."),
    Code("D233", "longer-target", "A higher value of a field that gets a longer target, against `requires`.",
         "Mend the targets or their order."),
    Code("D234", "unproved", "A requirement that is too large to be proved (a warning).",
         "Ask for fewer fields in the targets of that clock."),
    Code("D301", "unknown-field", "A field that nobody declared.",
         "Correct its spelling, or declare it in the Vocabulary."),
)  # fmt: skip
"""Faults between documents."""

CALENDARS = (
    Code("D400", "calendar-fault", "Another fault of a calendar.", "Mend what the message names."),
    Code("D401", "calendar-shape", "Something else stands where a part of a calendar is wanted.",
         "Write what is expected."),
    Code("D402", "calendar-incomplete", "A calendar without hours, or a working-day rule without one of its choices.",
         "Add the key named."),
    Code("D403", "no-time-zone", "A calendar without a time zone.", "Write `timezone` there or in the manifest."),
    Code("D404", "unknown-time-zone", "A time zone that there is not.",
         "Write its IANA name, such as `Asia/Shanghai`."),
    Code("D405", "unknown-country", "A country whose holidays are not known.", "Write its two-letter code."),
    Code("D406", "unknown-subdivision", "A state or province that the country has not.", "Write one of its codes."),
    Code("D407", "bad-time", "A time of day that there is not.", "Write `00:00` to `24:00`."),
    Code("D408", "empty-interval", "An interval of no length.",
         "Write from and to; the whole day is `00:00` to `24:00`."),
    Code("D409", "overlapping-hours", "Intervals of one day that overlap (a warning).", "Write one interval."),
    Code("D410", "weekday-twice", "A weekday whose hours are given twice.", "Name each weekday once."),
    Code("D411", "unknown-weekday", "A weekday that there is not.", "Write `mon` to `sun`."),
    Code("D412", "impossible-date", "A date that there is not, such as 2026-02-30.", "Correct it."),
    Code("D413", "date-out-of-range", "A date outside the years 1900 to 2199.", "Correct it."),
    Code("D414", "reversed-range", "A range that ends before it begins.", "Turn it round."),
    Code("D415", "era-twice", "Two eras that begin on one date.", "Keep one of the two."),
    Code("D416", "date-contradiction", "A date that is closed and has hours.", "Keep one of the two."),
    Code("D417", "unconfirmed-holidays", "Holidays that are not confirmed for the time needed.",
         "Wait for the announcement, write the dates yourself, or choose `beyond_calendar: estimate`."),
    Code("D418", "no-open-time", "A calendar that is never open.", "Give it hours."),
    Code("D419", "closed-for-good", "A calendar that closes for ever with its last era (a warning).",
         "Give the era hours."),
    Code("D420", "calendar-cycle", "A calendar that is made of itself.", "Take one of them out of the ring."),
    Code("D421", "two-combinations", "`all_of` and `any_of` in one calendar.", "Make two calendars of it."),
    Code("D422", "unknown-calendar", "A calendar that nothing declares.", "Correct its spelling, or declare it."),
    Code("D423", "reserved-name", "A calendar called `always`, which is built in.", "Give it another name."),
)  # fmt: skip
"""Faults of calendars."""

CONDITIONS = (
    Code("C001", "not-a-condition", "Something else stands where a condition is wanted.",
         "Write a mapping of fields to tests; under `any` and `all`, a list of them."),
    Code("C002", "unknown-field", "A condition asks for a field that nobody declared.",
         "Correct its spelling, or declare it in the Vocabulary."),
    Code("C003", "unknown-value", "A value that is not among the declared values of the field.",
         "Write one of the values, or add it to the Vocabulary."),
    Code("C004", "unsuited-test", "A test that does not suit the type of the field.",
         "Use one of the tests named."),
    Code("C005", "unknown-test", "A word under a field that is no test.", "Use one of the tests named."),
    Code("C006", "unsuited-value", "A value of another type than the field, or than the test takes.",
         "Write a value of the type named."),
    Code("C007", "bad-pattern", "A pattern that is not RE2 syntax, or too large to run on every case.",
         "Write it without what RE2 lacks: backreferences and looking around."),
    Code("C008", "no-order", "A comparison of an enum whose values have no order.",
         "Declare the enum with `ordered: true`, or list the values."),
    Code("C009", "empty", "An empty list, condition or text, which would hold always or never.",
         "Take it away, or write what must hold."),
    Code("C010", "value-twice", "A value that is in a list twice.", "Keep one of the two."),
    Code("C011", "too-deep", "Conditions nested more than 32 deep.", "Write them flatter."),
    Code("C012", "not-carried", "A payload field that the event in question does not carry.",
         "Ask for a field that it carries, or of the case."),
    Code("C013", "unknown-parameter", "A parameter that the manifest does not declare.",
         "Correct its spelling, or declare it."),
    Code("C101", "bad-field-name", "A field with a name that conditions could not say.",
         "Give it another name."),
    Code("C102", "unknown-type", "A field of a type that there is not.", "Write one of the types named."),
    Code("C103", "bad-values", "An enum without values, or values on a field that is no enum or set.",
         "List the values of enums and sets, and of nothing else."),
    Code("C104", "two-types", "A field that is declared with two types.", "Give one of them another name."),
    Code("C201", "wrong-type", "A value of a case that has not the type of its field.",
         "Send a value of the declared type."),
    Code("C202", "unknown-enum-value", "A value of a case that its enum does not know.",
         "Send a declared value, or declare it in the Vocabulary."),
    Code("C203", "required-field", "A case without a field that is required.", "Send the field."),
    Code("C204", "too-large", "A text over 64 KiB, or a set over 10,000 members.", "Send less."),
    Code("C205", "reserved-name", "A field of a case that is called like one of another subject.",
         "Send fields of events and customers where they belong."),
)  # fmt: skip
"""Faults of conditions (C0), vocabularies (C1) and the values of cases (C2)."""

INPUT = (
    Code("E001", "not-json", "A line that is not JSON.", "Send one JSON object a line."),
    Code("E002", "not-utf-8", "A line that is not UTF-8.", "Send UTF-8."),
    Code("E003", "too-large", "A case or event of more than 256 KiB.", "Send less."),
    Code("E004", "too-deep", "JSON nested more than 32 deep.", "Send it flatter."),
    Code("E005", "not-finite", "`NaN` or `Infinity`.", "Send a finite number."),
    Code("E006", "duplicate-key", "A key that is there twice.", "Send it once."),
    Code("E101", "missing-key", "A key without which there is no case or event, such as `id`.", "Send it."),
    Code("E102", "wrong-type", "Something else stands where a text, an object or a list is wanted.",
         "Send what is expected."),
    Code("E103", "bad-instant", "An instant that is none, or has no offset.", "Send RFC 3339 with an offset or `Z`."),
    Code("E104", "unknown-key", "A key that a case or event does not have.",
         "Put fields of a case under `fields`, payload under `data`."),
    Code("E105", "an-event", "An event where a case is wanted.", "Send a case, or use a command that takes events."),
    Code("E106", "too-many-events", "A case with more than 100,000 events.", "Split it."),
    Code("E107", "event-of-another-case", "An event of another case among the events of a case.", "Take it out."),
    Code("E108", "id-of-two-events", "Two events of a case that have one `id` and differ.",
         "Give each event an id of its own; the same event may be sent twice."),
    Code("E109", "endless-events", "Events that set each other off without an end: more than 32 in one instant.",
         "Bound the loop with `rounds`, or let one of the reactions ask for a condition."),
)  # fmt: skip
"""Faults of cases and events that come in."""

CATALOGUE = {entry.code: entry for entry in (*TEXT, *SHAPE, *MEANING, *CALENDARS, *CONDITIONS, *INPUT)}
"""Every code there is."""
