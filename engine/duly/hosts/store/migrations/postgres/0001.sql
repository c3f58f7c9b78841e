-- What the store itself has to know: its version, how many shards there are.
CREATE TABLE facts (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL);

CREATE TABLE shards (
    shard smallint PRIMARY KEY,
    now bigint,
    adopted bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    given bigint NOT NULL DEFAULT 0 -- the latest number in the shard's outbox
) WITH (fillfactor = 20);

CREATE SEQUENCE lines;
CREATE TABLE journal (
    seq bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    grp text COLLATE "C" NOT NULL,
    case_id text COLLATE "C",
    customer text COLLATE "C",
    origin text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    body bytea NOT NULL
);
-- What the hub said has ids of its own, which may be said again in a replay.
CREATE UNIQUE INDEX journal_id ON journal (id) WHERE origin <> 'hub';
CREATE INDEX journal_group ON journal (grp, seq);

CREATE TABLE pending (
    shard smallint NOT NULL,
    at bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (shard, at, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE cases (name text COLLATE "C" PRIMARY KEY, grp text COLLATE "C" NOT NULL);
CREATE TABLE moved (shard smallint NOT NULL, grp text COLLATE "C" NOT NULL, PRIMARY KEY (shard, grp));

CREATE TABLE entities (
    key text COLLATE "C" PRIMARY KEY,
    grp text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    alarm bigint,
    last bigint NOT NULL,
    closed smallint NOT NULL,
    body bytea NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX entities_group ON entities (grp, key);
CREATE INDEX entities_alarm ON entities (shard, alarm, key) WHERE alarm IS NOT NULL;

CREATE TABLE bases (
    key text COLLATE "C" PRIMARY KEY,
    grp text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    alarm bigint,
    last bigint NOT NULL,
    closed smallint NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX bases_group ON bases (grp);

CREATE TABLE outbox (
    shard smallint NOT NULL,
    seq bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    grp text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (shard, seq)
);
CREATE INDEX outbox_group ON outbox (grp, shard, seq);

CREATE TABLE sinks (
    sink text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL DEFAULT '',
    until bigint NOT NULL DEFAULT 0,
    disabled text COLLATE "C" NOT NULL DEFAULT '', -- why
    disabled_at bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    delivered_at bigint NOT NULL DEFAULT 0,
    error text COLLATE "C" NOT NULL DEFAULT '',
    error_at bigint NOT NULL DEFAULT 0
);
-- Up to where a sink has seen the outbox of a shard.
CREATE TABLE cursors (sink text COLLATE "C" NOT NULL, shard smallint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (sink, shard));
-- What a sink has seen and not delivered, or was handed by another.
CREATE TABLE parcels (
    sink text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    seq bigint NOT NULL,
    part text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    attempt integer NOT NULL,
    due bigint NOT NULL,
    reason text COLLATE "C" NOT NULL,
    bundle text COLLATE "C" NOT NULL,
    handed_by text COLLATE "C" NOT NULL,
    PRIMARY KEY (sink, shard, seq, part)
);
CREATE INDEX parcels_due ON parcels (sink, due, bundle, shard, seq, part) WHERE state IN ('retry', 'deferred');

CREATE TABLE adoptions (n bigint PRIMARY KEY, at bigint NOT NULL, revision text COLLATE "C" NOT NULL);
CREATE TABLE revisions (revision text COLLATE "C" PRIMARY KEY, compiled bytea NOT NULL);
CREATE TABLE rejects (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    origin text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    body bytea NOT NULL
);
-- Notes of a shard; those of the whole store have the shard -1.
CREATE TABLE notes (shard smallint NOT NULL, name text COLLATE "C" NOT NULL, value bytea NOT NULL, PRIMARY KEY (shard, name));
