-- The state as made by schema 5.
CREATE TABLE meta (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE settings (
    name VARCHAR NOT NULL,
    value JSON NOT NULL,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE connections (
    name VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    base_url VARCHAR,
    options JSON NOT NULL,
    enabled BOOLEAN NOT NULL,
    state VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    tested_at DATETIME,
    test_latency_ms FLOAT,
    models_found INTEGER,
    version INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    key_kept BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE preset_versions (
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    parameters JSON NOT NULL,
    purpose VARCHAR NOT NULL,
    saved_at DATETIME NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE TABLE listed_models (
    connection VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    data JSON NOT NULL,
    first_seen DATETIME NOT NULL,
    last_seen DATETIME NOT NULL,
    listed BOOLEAN NOT NULL,
    PRIMARY KEY (connection, name),
    FOREIGN KEY(connection) REFERENCES connections (name) ON DELETE CASCADE
);
CREATE TABLE active_models (
    task VARCHAR NOT NULL,
    connection VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    chosen_at DATETIME NOT NULL,
    PRIMARY KEY (task),
    FOREIGN KEY(connection) REFERENCES connections (name) ON DELETE CASCADE
);
CREATE TABLE presets (
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (name),
    FOREIGN KEY(name, version) REFERENCES preset_versions (name, version)
);
CREATE TABLE preset_defaults (
    scope VARCHAR NOT NULL,
    preset VARCHAR NOT NULL,
    PRIMARY KEY (scope)
);
CREATE TABLE own_models (
    connection VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    data JSON NOT NULL,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (connection, name),
    FOREIGN KEY(connection) REFERENCES connections (name) ON DELETE CASCADE
);
CREATE TABLE own_prices (
    id VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    mode VARCHAR NOT NULL,
    effective_from DATE,
    effective_to DATE,
    rates JSON NOT NULL,
    note VARCHAR NOT NULL,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_own_prices_model ON own_prices (model);
CREATE TABLE price_lists (
    digest VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    made_on DATE NOT NULL,
    found_at DATETIME NOT NULL,
    accepted_at DATETIME,
    data BLOB NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE listing_checks (
    connection VARCHAR NOT NULL,
    checked_at DATETIME NOT NULL,
    error VARCHAR NOT NULL,
    PRIMARY KEY (connection),
    FOREIGN KEY(connection) REFERENCES connections (name) ON DELETE CASCADE
);
CREATE TABLE budgets (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    scope JSON NOT NULL,
    unit VARCHAR NOT NULL,
    amount VARCHAR NOT NULL,
    period VARCHAR NOT NULL,
    tz VARCHAR NOT NULL,
    hard BOOLEAN NOT NULL,
    thresholds JSON NOT NULL,
    unpriced VARCHAR NOT NULL,
    created_at DATETIME NOT NULL,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);
CREATE TABLE alert_rules (
    kind VARCHAR NOT NULL,
    enabled BOOLEAN NOT NULL,
    options JSON NOT NULL,
    changed_at DATETIME NOT NULL,
    PRIMARY KEY (kind)
);
CREATE TABLE alert_events (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    level FLOAT NOT NULL,
    subject VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    opened_at DATETIME NOT NULL,
    closed_at DATETIME,
    seen_at DATETIME,
    PRIMARY KEY (id)
);
CREATE INDEX ix_alert_events_opened_at ON alert_events (opened_at);
CREATE TABLE alert_channels (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    service VARCHAR NOT NULL,
    shown VARCHAR NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL,
    sent_at DATETIME,
    failing_since DATETIME,
    error VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);
CREATE TABLE advice_marks (
    "key" VARCHAR NOT NULL,
    mark VARCHAR NOT NULL,
    marked_at DATETIME NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE alert_sends (
    event VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    due_at DATETIME NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (event, channel),
    FOREIGN KEY(event) REFERENCES alert_events (id) ON DELETE CASCADE,
    FOREIGN KEY(channel) REFERENCES alert_channels (id) ON DELETE CASCADE
);
INSERT INTO meta VALUES ('schema_version', '5');
