-- What the store itself has to know: how many shards there are, the latest number of a line.
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE shards (
    shard INTEGER PRIMARY KEY,
    now INTEGER,
    adopted INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0,
    given INTEGER NOT NULL DEFAULT 0 -- the latest number in the shard's outbox
);

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    grp TEXT NOT NULL,
    case_id TEXT,
    customer TEXT,
    origin TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    body BLOB NOT NULL
);
-- What the hub said has ids of its own, which may be said again in a replay.
CREATE UNIQUE INDEX journal_id ON journal (id) WHERE origin <> 'hub';
CREATE INDEX journal_group ON journal (grp);

CREATE TABLE pending (
    shard INTEGER NOT NULL,
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (shard, at, seq)
) WITHOUT ROWID;
CREATE TABLE cases (name TEXT PRIMARY KEY, grp TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE moved (shard INTEGER NOT NULL, grp TEXT NOT NULL, PRIMARY KEY (shard, grp)) WITHOUT ROWID;

CREATE TABLE entities (
    key TEXT PRIMARY KEY,
    grp TEXT NOT NULL,
    shard INTEGER NOT NULL,
    alarm INTEGER,
    last INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX entities_group ON entities (grp, key);
CREATE INDEX entities_alarm ON entities (shard, alarm, key) WHERE alarm IS NOT NULL;

CREATE TABLE bases (
    key TEXT PRIMARY KEY,
    grp TEXT NOT NULL,
    at INTEGER NOT NULL,
    alarm INTEGER,
    last INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX bases_group ON bases (grp);

CREATE TABLE outbox (
    shard INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    grp TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (shard, seq)
) WITHOUT ROWID;
CREATE INDEX outbox_group ON outbox (grp);

CREATE TABLE sinks (
    sink TEXT PRIMARY KEY,
    owner TEXT NOT NULL DEFAULT '',
    until INTEGER NOT NULL DEFAULT 0,
    disabled TEXT NOT NULL DEFAULT '', -- why
    disabled_at INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    error_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- Up to where a sink has seen the outbox of a shard.
CREATE TABLE cursors (sink TEXT NOT NULL, shard INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (sink, shard)) WITHOUT ROWID;
-- What a sink has seen and not delivered, or was handed by another.
CREATE TABLE parcels (
    sink TEXT NOT NULL,
    shard INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    part TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    due INTEGER NOT NULL,
    reason TEXT NOT NULL,
    bundle TEXT NOT NULL,
    handed_by TEXT NOT NULL,
    PRIMARY KEY (sink, shard, seq, part)
) WITHOUT ROWID;
CREATE INDEX parcels_due ON parcels (sink, due, bundle, shard, seq, part) WHERE state IN ('retry', 'deferred');

CREATE TABLE adoptions (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, revision TEXT NOT NULL);
CREATE TABLE revisions (revision TEXT PRIMARY KEY, compiled BLOB NOT NULL);
CREATE TABLE rejects (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    body BLOB NOT NULL
);
-- Notes of a shard; those of the whole store have the shard -1.
CREATE TABLE notes (shard INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (shard, name)) WITHOUT ROWID;

INSERT INTO facts (name, value) VALUES ('lines', 0);
INSERT INTO shards (shard) VALUES (0);
