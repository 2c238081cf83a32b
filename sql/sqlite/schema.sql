-- The tables of DEFT for sqlite, revision 0006. Rendered by `deft db ddl`; do not edit.

CREATE TABLE deft_command (
    id INTEGER NOT NULL,
    idempotency_key VARCHAR(255),
    actor VARCHAR(255) NOT NULL,
    verb VARCHAR(32) NOT NULL,
    selection TEXT,
    options TEXT NOT NULL,
    created DATETIME NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    tasks INTEGER DEFAULT '0' NOT NULL,
    why TEXT,
    answer TEXT,
    CONSTRAINT pk_deft_command PRIMARY KEY (id),
    CONSTRAINT uq_deft_command_idempotency_key UNIQUE (idempotency_key),
    CONSTRAINT ck_deft_command_outcome CHECK (outcome = 'done' OR outcome = 'refused'),
    CONSTRAINT ck_deft_command_counters CHECK (tasks >= 0)
);

CREATE TABLE deft_dirty (
    id INTEGER NOT NULL,
    node_id BIGINT NOT NULL,
    CONSTRAINT pk_deft_dirty PRIMARY KEY (id)
);

CREATE TABLE deft_metatask (
    id INTEGER NOT NULL,
    project VARCHAR(64) NOT NULL,
    name VARCHAR(64) NOT NULL,
    name_key VARCHAR(255) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    settings TEXT NOT NULL,
    foreign_parts TEXT,
    origin TEXT,
    folder TEXT,
    written TEXT,
    hold SMALLINT DEFAULT '0' NOT NULL,
    created DATETIME NOT NULL,
    CONSTRAINT pk_deft_metatask PRIMARY KEY (id),
    CONSTRAINT uq_deft_metatask_name_key UNIQUE (name_key),
    CONSTRAINT ck_deft_metatask_flags CHECK (hold IN (0, 1))
);

CREATE TABLE jedi_dataset (
    id INTEGER NOT NULL,
    name VARCHAR(255),
    type VARCHAR(255),
    format VARCHAR(32),
    task_id BIGINT,
    synthetic SMALLINT DEFAULT '0' NOT NULL,
    order_seq BIGINT DEFAULT '0' NOT NULL,
    version BIGINT DEFAULT '0' NOT NULL,
    available INTEGER DEFAULT '0' NOT NULL,
    lost INTEGER DEFAULT '0' NOT NULL,
    expected INTEGER DEFAULT '0' NOT NULL,
    events BIGINT DEFAULT '0' NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    reason TEXT,
    CONSTRAINT pk_jedi_dataset PRIMARY KEY (id),
    CONSTRAINT ck_jedi_dataset_flags CHECK (synthetic IN (0, 1)),
    CONSTRAINT ck_jedi_dataset_counters CHECK (order_seq >= 0 AND version >= 0 AND available >= 0 AND lost >= 0 AND expected >= 0 AND events >= 0 AND bytes >= 0)
);

CREATE TABLE jedi_lease (
    name VARCHAR(32) NOT NULL,
    token VARCHAR(32) NOT NULL,
    host VARCHAR(255) NOT NULL,
    pid INTEGER NOT NULL,
    process_start VARCHAR(32) NOT NULL,
    started DATETIME NOT NULL,
    expires DATETIME NOT NULL,
    CONSTRAINT pk_jedi_lease PRIMARY KEY (name)
);

CREATE TABLE jedi_submission (
    id INTEGER NOT NULL,
    cluster VARCHAR(32) NOT NULL,
    token VARCHAR(32) NOT NULL,
    size INTEGER NOT NULL,
    created DATETIME NOT NULL,
    job_id VARCHAR(32),
    accepted DATETIME,
    CONSTRAINT pk_jedi_submission PRIMARY KEY (id),
    CONSTRAINT uq_jedi_submission_token UNIQUE (token)
);

CREATE TABLE jedi_task (
    id INTEGER NOT NULL,
    project VARCHAR(255),
    metatask VARCHAR(255),
    name VARCHAR(255),
    spec TEXT,
    order_seq BIGINT DEFAULT '0' NOT NULL,
    priority INTEGER DEFAULT '0' NOT NULL,
    max_running INTEGER,
    idle SMALLINT DEFAULT '0' NOT NULL,
    rejected SMALLINT DEFAULT '0' NOT NULL,
    no_feed SMALLINT DEFAULT '0' NOT NULL,
    hard SMALLINT DEFAULT '0' NOT NULL,
    held VARCHAR(32),
    ready INTEGER DEFAULT '0' NOT NULL,
    running INTEGER DEFAULT '0' NOT NULL,
    ok INTEGER DEFAULT '0' NOT NULL,
    failed INTEGER DEFAULT '0' NOT NULL,
    skipped INTEGER DEFAULT '0' NOT NULL,
    jobs INTEGER DEFAULT '0' NOT NULL,
    jobs_running INTEGER DEFAULT '0' NOT NULL,
    jobs_ok INTEGER DEFAULT '0' NOT NULL,
    jobs_failed INTEGER DEFAULT '0' NOT NULL,
    last_number INTEGER DEFAULT '0' NOT NULL,
    phase VARCHAR(32),
    reason TEXT,
    measured TEXT,
    parked INTEGER DEFAULT '0' NOT NULL,
    cluster VARCHAR(32),
    CONSTRAINT pk_jedi_task PRIMARY KEY (id),
    CONSTRAINT ck_jedi_task_flags CHECK (idle IN (0, 1) AND rejected IN (0, 1) AND no_feed IN (0, 1) AND hard IN (0, 1)),
    CONSTRAINT ck_jedi_task_held CHECK (held = 'drain' OR held = 'requeue' OR held = 'kill'),
    CONSTRAINT ck_jedi_task_counters CHECK (order_seq >= 0 AND ready >= 0 AND running >= 0 AND ok >= 0 AND failed >= 0 AND skipped >= 0 AND jobs >= 0 AND jobs_running >= 0 AND jobs_ok >= 0 AND jobs_failed >= 0 AND last_number >= 0 AND parked >= 0)
);

CREATE INDEX ix_jedi_task_idle_priority_id ON jedi_task (idle, priority, id);

CREATE TABLE wire_changed (
    id INTEGER NOT NULL,
    task_id BIGINT,
    dataset_id BIGINT,
    CONSTRAINT pk_wire_changed PRIMARY KEY (id),
    CONSTRAINT ck_wire_changed_about CHECK (task_id IS NULL AND dataset_id IS NOT NULL OR task_id IS NOT NULL AND dataset_id IS NULL)
);

CREATE TABLE wire_dataset (
    dataset_id INTEGER NOT NULL,
    order_seq_applied BIGINT DEFAULT '0' NOT NULL,
    available INTEGER DEFAULT '0' NOT NULL,
    lost INTEGER DEFAULT '0' NOT NULL,
    expected INTEGER DEFAULT '0' NOT NULL,
    events BIGINT DEFAULT '0' NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    version BIGINT DEFAULT '0' NOT NULL,
    reason TEXT,
    CONSTRAINT pk_wire_dataset PRIMARY KEY (dataset_id),
    CONSTRAINT ck_wire_dataset_counters CHECK (order_seq_applied >= 0 AND available >= 0 AND lost >= 0 AND expected >= 0 AND events >= 0 AND bytes >= 0 AND version >= 0)
);

CREATE TABLE wire_input (
    edge_id INTEGER NOT NULL,
    task_id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    unfed INTEGER DEFAULT '0' NOT NULL,
    missing INTEGER DEFAULT '0' NOT NULL,
    seen_version BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_wire_input PRIMARY KEY (edge_id),
    CONSTRAINT ck_wire_input_counters CHECK (unfed >= 0 AND missing >= 0 AND seen_version >= 0)
);

CREATE INDEX ix_wire_input_dataset_id ON wire_input (dataset_id);

CREATE INDEX ix_wire_input_task_id ON wire_input (task_id);

CREATE TABLE wire_order (
    id INTEGER NOT NULL,
    task_id BIGINT,
    dataset_id BIGINT,
    seq BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    body TEXT NOT NULL,
    created DATETIME NOT NULL,
    pending SMALLINT DEFAULT '1' NOT NULL,
    applied DATETIME,
    CONSTRAINT pk_wire_order PRIMARY KEY (id),
    CONSTRAINT uq_wire_order_idempotency_key UNIQUE (idempotency_key),
    CONSTRAINT ck_wire_order_key CHECK (idempotency_key = CASE WHEN task_id IS NULL THEN 'd' || dataset_id ELSE 't' || task_id END || '-' || seq),
    CONSTRAINT ck_wire_order_about CHECK (task_id IS NULL AND dataset_id IS NOT NULL OR task_id IS NOT NULL AND dataset_id IS NULL),
    CONSTRAINT ck_wire_order_kind CHECK (kind = 'run' OR kind = 'spec' OR kind = 'hold' OR kind = 'resume' OR kind = 'finish' OR kind = 'abort' OR kind = 'retry' OR kind = 'recover' OR kind = 'discard' OR kind = 'grow' OR kind = 'close' OR kind = 'limit' OR kind = 'scan'),
    CONSTRAINT ck_wire_order_flags CHECK (pending IN (0, 1)),
    CONSTRAINT ck_wire_order_seq CHECK (seq >= 1),
    CONSTRAINT ck_wire_order_applied CHECK (pending = 1 OR applied IS NOT NULL)
);

CREATE INDEX ix_wire_order_dataset_id ON wire_order (dataset_id);

CREATE INDEX ix_wire_order_pending_id ON wire_order (pending, id);

CREATE INDEX ix_wire_order_task_id ON wire_order (task_id);

CREATE TABLE wire_task (
    task_id INTEGER NOT NULL,
    order_seq_applied BIGINT DEFAULT '0' NOT NULL,
    idle SMALLINT DEFAULT '0' NOT NULL,
    rejected SMALLINT DEFAULT '0' NOT NULL,
    ready INTEGER DEFAULT '0' NOT NULL,
    running INTEGER DEFAULT '0' NOT NULL,
    ok INTEGER DEFAULT '0' NOT NULL,
    failed INTEGER DEFAULT '0' NOT NULL,
    skipped INTEGER DEFAULT '0' NOT NULL,
    jobs INTEGER DEFAULT '0' NOT NULL,
    jobs_running INTEGER DEFAULT '0' NOT NULL,
    jobs_ok INTEGER DEFAULT '0' NOT NULL,
    jobs_failed INTEGER DEFAULT '0' NOT NULL,
    phase VARCHAR(32),
    reason TEXT,
    summary TEXT,
    updated DATETIME,
    CONSTRAINT pk_wire_task PRIMARY KEY (task_id),
    CONSTRAINT ck_wire_task_flags CHECK (idle IN (0, 1) AND rejected IN (0, 1)),
    CONSTRAINT ck_wire_task_counters CHECK (order_seq_applied >= 0 AND ready >= 0 AND running >= 0 AND ok >= 0 AND failed >= 0 AND skipped >= 0 AND jobs >= 0 AND jobs_running >= 0 AND jobs_ok >= 0 AND jobs_failed >= 0)
);

CREATE TABLE deft_command_metatask (
    command_id BIGINT NOT NULL,
    metatask_id BIGINT NOT NULL,
    CONSTRAINT pk_deft_command_metatask PRIMARY KEY (command_id, metatask_id),
    CONSTRAINT fk_deft_command_metatask_command_id FOREIGN KEY(command_id) REFERENCES deft_command (id),
    CONSTRAINT fk_deft_command_metatask_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id)
);

CREATE INDEX ix_deft_command_metatask_metatask_id_command_id ON deft_command_metatask (metatask_id, command_id);

CREATE TABLE deft_count (
    metatask_id BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    tasks INTEGER NOT NULL,
    CONSTRAINT pk_deft_count PRIMARY KEY (metatask_id, state),
    CONSTRAINT ck_deft_count_state CHECK (state = 'defined' OR state = 'waiting' OR state = 'running' OR state = 'done' OR state = 'finished' OR state = 'failed' OR state = 'exhausted' OR state = 'aborted' OR state = 'broken'),
    CONSTRAINT ck_deft_count_counters CHECK (tasks >= 0),
    CONSTRAINT fk_deft_count_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id)
);

CREATE TABLE deft_node (
    id INTEGER NOT NULL,
    metatask_id BIGINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    position INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    document_id VARCHAR(255),
    settings TEXT NOT NULL,
    foreign_parts TEXT,
    state VARCHAR(32) DEFAULT 'defined' NOT NULL,
    complete SMALLINT DEFAULT '0' NOT NULL,
    arms SMALLINT DEFAULT '1' NOT NULL,
    armed SMALLINT DEFAULT '0' NOT NULL,
    hold SMALLINT DEFAULT '0' NOT NULL,
    force SMALLINT DEFAULT '0' NOT NULL,
    finish SMALLINT DEFAULT '0' NOT NULL,
    abort SMALLINT DEFAULT '0' NOT NULL,
    started SMALLINT DEFAULT '0' NOT NULL,
    allow_empty SMALLINT DEFAULT '0' NOT NULL,
    goal FLOAT DEFAULT '1' NOT NULL,
    done_revision INTEGER DEFAULT '0' NOT NULL,
    order_seq BIGINT DEFAULT '0' NOT NULL,
    reason TEXT,
    changed DATETIME NOT NULL,
    CONSTRAINT pk_deft_node PRIMARY KEY (id),
    CONSTRAINT uq_deft_node_metatask_id_name UNIQUE (metatask_id, name),
    CONSTRAINT ck_deft_node_state CHECK (state = 'defined' OR state = 'waiting' OR state = 'running' OR state = 'done' OR state = 'finished' OR state = 'failed' OR state = 'exhausted' OR state = 'aborted' OR state = 'broken'),
    CONSTRAINT ck_deft_node_kind CHECK (kind = 'task' OR kind = 'entry' OR kind = 'exit' OR kind = 'metatask'),
    CONSTRAINT ck_deft_node_flags CHECK (complete IN (0, 1) AND arms IN (0, 1) AND armed IN (0, 1) AND hold IN (0, 1) AND force IN (0, 1) AND finish IN (0, 1) AND abort IN (0, 1) AND started IN (0, 1) AND allow_empty IN (0, 1)),
    CONSTRAINT ck_deft_node_counters CHECK (position >= 0 AND depth >= 0 AND done_revision >= 0 AND order_seq >= 0),
    CONSTRAINT ck_deft_node_goal CHECK (goal >= 0 AND goal <= 1),
    CONSTRAINT fk_deft_node_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id)
);

CREATE INDEX ix_deft_node_metatask_id_state ON deft_node (metatask_id, state);

CREATE TABLE jedi_input (
    edge_id INTEGER NOT NULL,
    task_id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    role VARCHAR(32) NOT NULL,
    reduce SMALLINT DEFAULT '0' NOT NULL,
    closed SMALLINT DEFAULT '0' NOT NULL,
    unfed INTEGER DEFAULT '0' NOT NULL,
    missing INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_jedi_input PRIMARY KEY (edge_id),
    CONSTRAINT ck_jedi_input_role CHECK (role = 'primary' OR role = 'secondary'),
    CONSTRAINT ck_jedi_input_flags CHECK (reduce IN (0, 1) AND closed IN (0, 1)),
    CONSTRAINT ck_jedi_input_counters CHECK (unfed >= 0 AND missing >= 0),
    CONSTRAINT fk_jedi_input_task_id FOREIGN KEY(task_id) REFERENCES jedi_task (id),
    CONSTRAINT fk_jedi_input_dataset_id FOREIGN KEY(dataset_id) REFERENCES jedi_dataset (id)
);

CREATE INDEX ix_jedi_input_dataset_id ON jedi_input (dataset_id);

CREATE INDEX ix_jedi_input_task_id ON jedi_input (task_id);

CREATE TABLE jedi_job (
    id INTEGER NOT NULL,
    task_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    state VARCHAR(32) NOT NULL,
    units INTEGER DEFAULT '0' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    charged INTEGER DEFAULT '0' NOT NULL,
    losses INTEGER DEFAULT '0' NOT NULL,
    message TEXT,
    created DATETIME NOT NULL,
    remake SMALLINT DEFAULT '0' NOT NULL,
    memory_mb INTEGER,
    walltime_s INTEGER,
    CONSTRAINT pk_jedi_job PRIMARY KEY (id),
    CONSTRAINT uq_jedi_job_task_id_number UNIQUE (task_id, number),
    CONSTRAINT ck_jedi_job_state CHECK (state = 'planned' OR state = 'submitting' OR state = 'queued' OR state = 'running' OR state = 'ok' OR state = 'failed' OR state = 'killed' OR state = 'lost' OR state = 'cancelled'),
    CONSTRAINT ck_jedi_job_counters CHECK (units >= 0 AND attempts >= 0 AND charged >= 0 AND losses >= 0),
    CONSTRAINT ck_jedi_job_remake CHECK (remake IN (0, 1, 2)),
    CONSTRAINT fk_jedi_job_task_id FOREIGN KEY(task_id) REFERENCES jedi_task (id)
);

CREATE INDEX ix_jedi_job_task_id_state_number ON jedi_job (task_id, state, number);

CREATE TABLE jedi_unit (
    id INTEGER NOT NULL,
    dataset_id BIGINT NOT NULL,
    "key" VARCHAR(1000) NOT NULL,
    path VARCHAR(1000),
    state VARCHAR(32) NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    events BIGINT DEFAULT '0' NOT NULL,
    content VARCHAR(255),
    job_id BIGINT,
    position BIGINT NOT NULL,
    CONSTRAINT pk_jedi_unit PRIMARY KEY (id),
    CONSTRAINT uq_jedi_unit_dataset_id_key UNIQUE (dataset_id, "key"),
    CONSTRAINT ck_jedi_unit_state CHECK (state = 'available' OR state = 'lost'),
    CONSTRAINT ck_jedi_unit_counters CHECK (bytes >= 0 AND events >= 0),
    CONSTRAINT fk_jedi_unit_dataset_id FOREIGN KEY(dataset_id) REFERENCES jedi_dataset (id)
);

CREATE TABLE wire_answer (
    order_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    created DATETIME NOT NULL,
    CONSTRAINT pk_wire_answer PRIMARY KEY (order_id),
    CONSTRAINT fk_wire_answer_order_id FOREIGN KEY(order_id) REFERENCES wire_order (id)
);

CREATE TABLE deft_control (
    id INTEGER NOT NULL,
    metatask_id BIGINT NOT NULL,
    node_id BIGINT,
    kind VARCHAR(32) NOT NULL,
    mode VARCHAR(32),
    actor VARCHAR(255) NOT NULL,
    reason TEXT,
    created DATETIME NOT NULL,
    CONSTRAINT pk_deft_control PRIMARY KEY (id),
    CONSTRAINT ck_deft_control_kind CHECK (kind = 'armed' OR kind = 'hold' OR kind = 'force' OR kind = 'finish' OR kind = 'abort'),
    CONSTRAINT ck_deft_control_mode CHECK (mode = 'drain' OR mode = 'requeue' OR mode = 'kill'),
    CONSTRAINT fk_deft_control_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_control_node_id FOREIGN KEY(node_id) REFERENCES deft_node (id)
);

CREATE INDEX ix_deft_control_metatask_id ON deft_control (metatask_id);

CREATE INDEX ix_deft_control_node_id_kind ON deft_control (node_id, kind);

CREATE TABLE deft_dataset (
    id INTEGER NOT NULL,
    metatask_id BIGINT NOT NULL,
    producer_id BIGINT,
    name VARCHAR(255) NOT NULL,
    type VARCHAR(64) NOT NULL,
    format VARCHAR(32),
    membership VARCHAR(32) NOT NULL,
    revision INTEGER DEFAULT '1' NOT NULL,
    order_seq BIGINT DEFAULT '0' NOT NULL,
    synthetic INTEGER DEFAULT '0' NOT NULL,
    open SMALLINT DEFAULT '0' NOT NULL,
    sources TEXT,
    series INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_deft_dataset PRIMARY KEY (id),
    CONSTRAINT uq_deft_dataset_name UNIQUE (name),
    CONSTRAINT ck_deft_dataset_membership CHECK (membership = 'declared' OR membership = 'open' OR membership = 'closed' OR membership = 'retired'),
    CONSTRAINT ck_deft_dataset_flags CHECK (open IN (0, 1)),
    CONSTRAINT ck_deft_dataset_counters CHECK (order_seq >= 0 AND synthetic >= 0),
    CONSTRAINT ck_deft_dataset_revisions CHECK (revision >= 1 AND series >= 1),
    CONSTRAINT ck_deft_dataset_source CHECK (producer_id IS NULL OR (open = 0 AND synthetic = 0)),
    CONSTRAINT fk_deft_dataset_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_dataset_producer_id FOREIGN KEY(producer_id) REFERENCES deft_node (id)
);

CREATE INDEX ix_deft_dataset_metatask_id ON deft_dataset (metatask_id);

CREATE INDEX ix_deft_dataset_producer_id ON deft_dataset (producer_id);

CREATE TABLE deft_history (
    id INTEGER NOT NULL,
    metatask_id BIGINT NOT NULL,
    node_id BIGINT,
    at DATETIME NOT NULL,
    actor VARCHAR(255) NOT NULL,
    cause VARCHAR(32) NOT NULL,
    old VARCHAR(32),
    new VARCHAR(32),
    reason TEXT,
    CONSTRAINT pk_deft_history PRIMARY KEY (id),
    CONSTRAINT ck_deft_history_old CHECK (old = 'defined' OR old = 'waiting' OR old = 'running' OR old = 'done' OR old = 'finished' OR old = 'failed' OR old = 'exhausted' OR old = 'aborted' OR old = 'broken'),
    CONSTRAINT ck_deft_history_new CHECK (new = 'defined' OR new = 'waiting' OR new = 'running' OR new = 'done' OR new = 'finished' OR new = 'failed' OR new = 'exhausted' OR new = 'aborted' OR new = 'broken'),
    CONSTRAINT fk_deft_history_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_history_node_id FOREIGN KEY(node_id) REFERENCES deft_node (id)
);

CREATE INDEX ix_deft_history_metatask_id_id ON deft_history (metatask_id, id);

CREATE INDEX ix_deft_history_node_id_id ON deft_history (node_id, id);

CREATE TABLE jedi_attempt (
    id INTEGER NOT NULL,
    job_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    token VARCHAR(32) NOT NULL,
    state VARCHAR(32) NOT NULL,
    open SMALLINT,
    backend VARCHAR(32) NOT NULL,
    folder VARCHAR(1000) NOT NULL,
    host VARCHAR(255),
    pid INTEGER,
    submitted DATETIME NOT NULL,
    started DATETIME,
    ended DATETIME,
    exit_code INTEGER,
    signal INTEGER,
    outcome VARCHAR(32),
    message TEXT,
    wall_s DOUBLE,
    cpu_s DOUBLE,
    max_rss_mb DOUBLE,
    leftovers INTEGER,
    submission_id BIGINT,
    array_index INTEGER,
    asked_mb INTEGER,
    asked_s INTEGER,
    CONSTRAINT pk_jedi_attempt PRIMARY KEY (id),
    CONSTRAINT uq_jedi_attempt_token UNIQUE (token),
    CONSTRAINT uq_jedi_attempt_job_id_number UNIQUE (job_id, number),
    CONSTRAINT ck_jedi_attempt_state CHECK (state = 'planned' OR state = 'submitting' OR state = 'queued' OR state = 'running' OR state = 'ok' OR state = 'failed' OR state = 'killed' OR state = 'lost' OR state = 'cancelled'),
    CONSTRAINT ck_jedi_attempt_open CHECK (open = 1),
    CONSTRAINT fk_jedi_attempt_job_id FOREIGN KEY(job_id) REFERENCES jedi_job (id)
);

CREATE INDEX ix_jedi_attempt_open ON jedi_attempt (open);

CREATE TABLE jedi_job_unit (
    edge_id BIGINT NOT NULL,
    unit_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    job_id BIGINT,
    state VARCHAR(32) NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT pk_jedi_job_unit PRIMARY KEY (edge_id, unit_id),
    CONSTRAINT ck_jedi_job_unit_state CHECK (state = 'ready' OR state = 'running' OR state = 'ok' OR state = 'failed' OR state = 'skipped' OR state = 'used' OR state = 'parked'),
    CONSTRAINT ck_jedi_job_unit_counters CHECK (attempts >= 0),
    CONSTRAINT fk_jedi_job_unit_edge_id FOREIGN KEY(edge_id) REFERENCES jedi_input (edge_id),
    CONSTRAINT fk_jedi_job_unit_unit_id FOREIGN KEY(unit_id) REFERENCES jedi_unit (id),
    CONSTRAINT fk_jedi_job_unit_job_id FOREIGN KEY(job_id) REFERENCES jedi_job (id)
);

CREATE INDEX ix_jedi_job_unit_job_id ON jedi_job_unit (job_id);

CREATE INDEX ix_jedi_job_unit_task_id_state_position ON jedi_job_unit (task_id, state, position);

CREATE INDEX ix_jedi_job_unit_unit_id ON jedi_job_unit (unit_id);

CREATE TABLE deft_edge (
    id INTEGER NOT NULL,
    metatask_id BIGINT NOT NULL,
    source_id BIGINT,
    target_id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    document_id VARCHAR(255),
    settings TEXT NOT NULL,
    foreign_parts TEXT,
    role VARCHAR(32) NOT NULL,
    start_kind VARCHAR(32) NOT NULL,
    start_amount INTEGER DEFAULT '0' NOT NULL,
    on_growth VARCHAR(32) NOT NULL,
    on_loss VARCHAR(32) NOT NULL,
    on_abort VARCHAR(32) NOT NULL,
    reduce SMALLINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_deft_edge PRIMARY KEY (id),
    CONSTRAINT ck_deft_edge_role CHECK (role = 'primary' OR role = 'secondary'),
    CONSTRAINT ck_deft_edge_on_growth CHECK (on_growth = 'process' OR on_growth = 'ask' OR on_growth = 'ignore'),
    CONSTRAINT ck_deft_edge_on_loss CHECK (on_loss = 'wait' OR on_loss = 'proceed'),
    CONSTRAINT ck_deft_edge_on_abort CHECK (on_abort = 'propagate' OR on_abort = 'use_partial'),
    CONSTRAINT ck_deft_edge_start_kind CHECK (start_kind = 'complete' OR start_kind = 'count' OR start_kind = 'percent'),
    CONSTRAINT ck_deft_edge_flags CHECK (reduce IN (0, 1)),
    CONSTRAINT ck_deft_edge_counters CHECK (start_amount >= 0),
    CONSTRAINT ck_deft_edge_ends CHECK (source_id <> target_id),
    CONSTRAINT fk_deft_edge_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_edge_source_id FOREIGN KEY(source_id) REFERENCES deft_node (id),
    CONSTRAINT fk_deft_edge_target_id FOREIGN KEY(target_id) REFERENCES deft_node (id),
    CONSTRAINT fk_deft_edge_dataset_id FOREIGN KEY(dataset_id) REFERENCES deft_dataset (id)
);

CREATE INDEX ix_deft_edge_dataset_id ON deft_edge (dataset_id);

CREATE INDEX ix_deft_edge_metatask_id ON deft_edge (metatask_id);

CREATE INDEX ix_deft_edge_source_id ON deft_edge (source_id);

CREATE INDEX ix_deft_edge_target_id ON deft_edge (target_id);

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version (version_num) VALUES ('0006');
