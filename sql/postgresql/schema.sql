-- The tables of DEFT for postgresql, revision 0004. Rendered by `deft db ddl`; do not edit.

CREATE TABLE deft_command (
    id BIGSERIAL NOT NULL,
    idempotency_key VARCHAR(255),
    actor VARCHAR(255) NOT NULL,
    verb VARCHAR(32) NOT NULL,
    selection TEXT,
    options TEXT NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    tasks INTEGER DEFAULT '0' NOT NULL,
    why TEXT,
    answer TEXT,
    CONSTRAINT pk_deft_command PRIMARY KEY (id),
    CONSTRAINT uq_deft_command_idempotency_key UNIQUE (idempotency_key)
);

COMMENT ON TABLE deft_command IS 'Commands of operators and what came of them: append-only';

COMMENT ON COLUMN deft_command.idempotency_key IS 'Given again, the first answer is given again; null if refused';

COMMENT ON COLUMN deft_command.actor IS 'Who: user@host';

COMMENT ON COLUMN deft_command.selection IS 'What it was to act on, as it was written';

COMMENT ON COLUMN deft_command.options IS 'JSON: what else was said';

COMMENT ON COLUMN deft_command.outcome IS 'done or refused';

COMMENT ON COLUMN deft_command.tasks IS 'How many tasks it changed';

COMMENT ON COLUMN deft_command.why IS 'Why it was refused';

COMMENT ON COLUMN deft_command.answer IS 'JSON: its answer, where it has a key';

CREATE TABLE deft_dirty (
    id BIGSERIAL NOT NULL,
    node_id BIGINT NOT NULL,
    CONSTRAINT pk_deft_dirty PRIMARY KEY (id)
);

COMMENT ON TABLE deft_dirty IS 'Journal of tasks to look at; the sweep deletes what it has looked at';

CREATE TABLE deft_metatask (
    id BIGSERIAL NOT NULL,
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
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_deft_metatask PRIMARY KEY (id),
    CONSTRAINT uq_deft_metatask_name_key UNIQUE (name_key)
);

COMMENT ON TABLE deft_metatask IS 'Meta-Tasks';

COMMENT ON COLUMN deft_metatask.name_key IS 'project/name in lower case: unique without regard to case';

COMMENT ON COLUMN deft_metatask.settings IS 'JSON: the graph''s keys of the profile';

COMMENT ON COLUMN deft_metatask.foreign_parts IS 'JSON: what other tools wrote';

COMMENT ON COLUMN deft_metatask.origin IS 'The file or template it came from';

COMMENT ON COLUMN deft_metatask.folder IS 'Where the payload files of its template lie';

COMMENT ON COLUMN deft_metatask.written IS 'The document before it was filled; null where nothing was to be filled';

COMMENT ON COLUMN deft_metatask.hold IS '1: the whole Meta-Task is on hold';

CREATE TABLE jedi_dataset (
    id BIGINT NOT NULL,
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
    CONSTRAINT ck_jedi_dataset_counters CHECK (available >= 0 and lost >= 0 and bytes >= 0 and events >= 0)
);

COMMENT ON TABLE jedi_dataset IS 'A dataset as JEDI keeps it; the counters are those of its units';

COMMENT ON COLUMN jedi_dataset.id IS 'DEFT''s id of the dataset';

COMMENT ON COLUMN jedi_dataset.name IS 'Its folder under data/';

COMMENT ON COLUMN jedi_dataset.format IS 'Suffix of its files, without a dot';

COMMENT ON COLUMN jedi_dataset.task_id IS 'The producing task, or null for external and synthetic ones';

COMMENT ON COLUMN jedi_dataset.synthetic IS '1: its units are numbers, not files';

COMMENT ON COLUMN jedi_dataset.order_seq IS 'Last order applied';

COMMENT ON COLUMN jedi_dataset.version IS '+1 on every change of its units';

COMMENT ON COLUMN jedi_dataset.expected IS '0: not known';

COMMENT ON COLUMN jedi_dataset.reason IS 'What the last listing found wrong';

CREATE TABLE jedi_lease (
    name VARCHAR(32) NOT NULL,
    token VARCHAR(32) NOT NULL,
    host VARCHAR(255) NOT NULL,
    pid INTEGER NOT NULL,
    process_start VARCHAR(32) NOT NULL,
    started TIMESTAMP WITH TIME ZONE NOT NULL,
    expires TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_jedi_lease PRIMARY KEY (name)
);

COMMENT ON TABLE jedi_lease IS 'Who serves this database: one executor at a time';

COMMENT ON COLUMN jedi_lease.token IS 'Of this holding';

COMMENT ON COLUMN jedi_lease.process_start IS 'Tells a process from a later one of the same pid';

CREATE TABLE jedi_task (
    id BIGINT NOT NULL,
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
    CONSTRAINT pk_jedi_task PRIMARY KEY (id),
    CONSTRAINT ck_jedi_task_counters CHECK (ready >= 0 and running >= 0 and ok >= 0 and failed >= 0 and skipped >= 0 and jobs >= 0 and jobs_running >= 0 and jobs_ok >= 0 and jobs_failed >= 0)
);

CREATE INDEX ix_jedi_task_idle_priority_id ON jedi_task (idle, priority, id);

COMMENT ON TABLE jedi_task IS 'A task as JEDI keeps it; the counters are those of jedi_job_unit and jedi_job';

COMMENT ON COLUMN jedi_task.id IS 'DEFT''s id of the task';

COMMENT ON COLUMN jedi_task.spec IS 'JSON: the task as last ordered; null: known by name only';

COMMENT ON COLUMN jedi_task.order_seq IS 'Last order applied';

COMMENT ON COLUMN jedi_task.priority IS 'Larger first';

COMMENT ON COLUMN jedi_task.max_running IS 'Jobs handed out at once; null: no limit';

COMMENT ON COLUMN jedi_task.idle IS '1: feeds nothing until ordered to';

COMMENT ON COLUMN jedi_task.rejected IS '1: the definition cannot be run';

COMMENT ON COLUMN jedi_task.no_feed IS '1: finish or abort is in force';

COMMENT ON COLUMN jedi_task.hard IS '1: running jobs are to be killed and their units skipped';

COMMENT ON COLUMN jedi_task.held IS 'drain, requeue or kill; null: not held';

COMMENT ON COLUMN jedi_task.jobs IS 'Jobs made';

COMMENT ON COLUMN jedi_task.jobs_running IS 'Jobs handed out';

COMMENT ON COLUMN jedi_task.last_number IS 'Number of the newest job';

COMMENT ON COLUMN jedi_task.reason IS 'Newest failure in plain words';

COMMENT ON COLUMN jedi_task.measured IS 'JSON: sums and maxima over its jobs';

COMMENT ON COLUMN jedi_task.parked IS 'Units of jobs that run again once all their input is back';

CREATE TABLE wire_answer (
    order_id BIGINT NOT NULL,
    body TEXT NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_wire_answer PRIMARY KEY (order_id)
);

COMMENT ON TABLE wire_answer IS 'JEDI''s answer to one order (dry runs, refusals)';

COMMENT ON COLUMN wire_answer.body IS 'JSON';

CREATE TABLE wire_changed (
    id BIGSERIAL NOT NULL,
    task_id BIGINT,
    dataset_id BIGINT,
    CONSTRAINT pk_wire_changed PRIMARY KEY (id)
);

COMMENT ON TABLE wire_changed IS 'Journal of changed reports; DEFT deletes what it has looked at';

COMMENT ON COLUMN wire_changed.task_id IS 'The task whose report changed, or null';

COMMENT ON COLUMN wire_changed.dataset_id IS 'The dataset whose report changed, or null';

CREATE TABLE wire_dataset (
    dataset_id BIGINT NOT NULL,
    order_seq_applied BIGINT DEFAULT '0' NOT NULL,
    available INTEGER DEFAULT '0' NOT NULL,
    lost INTEGER DEFAULT '0' NOT NULL,
    expected INTEGER DEFAULT '0' NOT NULL,
    events BIGINT DEFAULT '0' NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    version BIGINT DEFAULT '0' NOT NULL,
    reason TEXT,
    CONSTRAINT pk_wire_dataset PRIMARY KEY (dataset_id)
);

COMMENT ON TABLE wire_dataset IS 'JEDI''s absolute report of a dataset';

COMMENT ON COLUMN wire_dataset.expected IS '0: not known yet';

COMMENT ON COLUMN wire_dataset.version IS '+1 on every change';

COMMENT ON COLUMN wire_dataset.reason IS 'What the last listing found wrong, in plain words';

CREATE TABLE wire_input (
    edge_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    unfed INTEGER DEFAULT '0' NOT NULL,
    missing INTEGER DEFAULT '0' NOT NULL,
    seen_version BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_wire_input PRIMARY KEY (edge_id)
);

CREATE INDEX ix_wire_input_dataset_id ON wire_input (dataset_id);

CREATE INDEX ix_wire_input_task_id ON wire_input (task_id);

COMMENT ON TABLE wire_input IS 'JEDI''s absolute report of one input of a task';

COMMENT ON COLUMN wire_input.unfed IS 'Available units without a row';

COMMENT ON COLUMN wire_input.missing IS 'Lost units without an ok row';

CREATE TABLE wire_order (
    id BIGSERIAL NOT NULL,
    task_id BIGINT,
    dataset_id BIGINT,
    seq BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    body TEXT NOT NULL,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    pending SMALLINT DEFAULT '1' NOT NULL,
    applied TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_wire_order PRIMARY KEY (id),
    CONSTRAINT uq_wire_order_idempotency_key UNIQUE (idempotency_key),
    CONSTRAINT uq_wire_order_task_id_seq UNIQUE (task_id, seq),
    CONSTRAINT uq_wire_order_dataset_id_seq UNIQUE (dataset_id, seq)
);

CREATE INDEX ix_wire_order_pending_id ON wire_order (pending, id);

COMMENT ON TABLE wire_order IS 'Orders of DEFT to JEDI: append-only';

COMMENT ON COLUMN wire_order.id IS 'Orders are applied in this order';

COMMENT ON COLUMN wire_order.task_id IS 'The task ordered about, or null for a dataset''s order';

COMMENT ON COLUMN wire_order.dataset_id IS 'The dataset ordered about, or null for a task''s order';

COMMENT ON COLUMN wire_order.seq IS '1, 2, 3 per task or dataset';

COMMENT ON COLUMN wire_order.kind IS 'run, hold, resume, retry, scan …';

COMMENT ON COLUMN wire_order.idempotency_key IS 'The same order given twice has the same key';

COMMENT ON COLUMN wire_order.body IS 'JSON; run and retry carry the whole task';

COMMENT ON COLUMN wire_order.pending IS '1 until JEDI has applied it';

COMMENT ON COLUMN wire_order.applied IS 'When JEDI applied it';

CREATE TABLE wire_task (
    task_id BIGINT NOT NULL,
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
    updated TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_wire_task PRIMARY KEY (task_id)
);

COMMENT ON TABLE wire_task IS 'JEDI''s absolute report of a task';

COMMENT ON COLUMN wire_task.idle IS '1: feeds nothing until ordered to';

COMMENT ON COLUMN wire_task.rejected IS '1: the definition cannot be run';

COMMENT ON COLUMN wire_task.ready IS 'Units waiting for a job or a slot';

COMMENT ON COLUMN wire_task.running IS 'Units in jobs handed out';

COMMENT ON COLUMN wire_task.jobs IS 'Jobs made so far';

COMMENT ON COLUMN wire_task.phase IS 'JEDI''s own word for what it does; shown, never a state';

COMMENT ON COLUMN wire_task.reason IS 'Why it failed, stopped or was rejected, in plain words';

COMMENT ON COLUMN wire_task.summary IS 'JSON: durations, memory and CPU measured so far';

CREATE TABLE deft_command_metatask (
    command_id BIGINT NOT NULL,
    metatask_id BIGINT NOT NULL,
    CONSTRAINT pk_deft_command_metatask PRIMARY KEY (command_id, metatask_id),
    CONSTRAINT fk_deft_command_metatask_command_id FOREIGN KEY(command_id) REFERENCES deft_command (id),
    CONSTRAINT fk_deft_command_metatask_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id)
);

CREATE INDEX ix_deft_command_metatask_metatask_id_command_id ON deft_command_metatask (metatask_id, command_id);

COMMENT ON TABLE deft_command_metatask IS 'The Meta-Tasks that a command was about';

CREATE TABLE deft_count (
    metatask_id BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    tasks INTEGER NOT NULL,
    CONSTRAINT pk_deft_count PRIMARY KEY (metatask_id, state),
    CONSTRAINT fk_deft_count_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id)
);

COMMENT ON TABLE deft_count IS 'How many tasks of a Meta-Task are in each state: kept by every change of state';

CREATE TABLE deft_node (
    id BIGSERIAL NOT NULL,
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
    changed TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_deft_node PRIMARY KEY (id),
    CONSTRAINT uq_deft_node_metatask_id_name UNIQUE (metatask_id, name),
    CONSTRAINT ck_deft_node_state CHECK (state IN ('defined', 'waiting', 'running', 'done', 'finished', 'failed', 'exhausted', 'aborted', 'broken')),
    CONSTRAINT ck_deft_node_kind CHECK (kind IN ('task', 'entry', 'exit', 'metatask')),
    CONSTRAINT fk_deft_node_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id)
);

CREATE INDEX ix_deft_node_metatask_id_state ON deft_node (metatask_id, state);

COMMENT ON TABLE deft_node IS 'Nodes of the graph: tasks with their tokens, entries and exits';

COMMENT ON COLUMN deft_node.kind IS 'task, or entry or exit, which hold no tokens';

COMMENT ON COLUMN deft_node.position IS 'Order in the document';

COMMENT ON COLUMN deft_node.depth IS 'Longest path to it: a topological level';

COMMENT ON COLUMN deft_node.document_id IS 'The node''s id in the document it came from';

COMMENT ON COLUMN deft_node.settings IS 'JSON: the node''s keys of the profile';

COMMENT ON COLUMN deft_node.foreign_parts IS 'JSON: what other tools wrote';

COMMENT ON COLUMN deft_node.complete IS '1: the definition is complete';

COMMENT ON COLUMN deft_node.arms IS '1: `start META` arms it';

COMMENT ON COLUMN deft_node.started IS '1: a run order was sent since creation or reset';

COMMENT ON COLUMN deft_node.done_revision IS '0 until first done';

COMMENT ON COLUMN deft_node.order_seq IS 'Last order written';

COMMENT ON COLUMN deft_node.reason IS 'Why it is in this state, where there is something to say';

COMMENT ON COLUMN deft_node.changed IS 'When its state last changed';

CREATE TABLE jedi_input (
    edge_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    role VARCHAR(32) NOT NULL,
    reduce SMALLINT DEFAULT '0' NOT NULL,
    closed SMALLINT DEFAULT '0' NOT NULL,
    unfed INTEGER DEFAULT '0' NOT NULL,
    missing INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_jedi_input PRIMARY KEY (edge_id),
    CONSTRAINT ck_jedi_input_counters CHECK (unfed >= 0 and missing >= 0),
    CONSTRAINT fk_jedi_input_task_id FOREIGN KEY(task_id) REFERENCES jedi_task (id),
    CONSTRAINT fk_jedi_input_dataset_id FOREIGN KEY(dataset_id) REFERENCES jedi_dataset (id)
);

CREATE INDEX ix_jedi_input_dataset_id ON jedi_input (dataset_id);

CREATE INDEX ix_jedi_input_task_id ON jedi_input (task_id);

COMMENT ON TABLE jedi_input IS 'An input edge of a task';

COMMENT ON COLUMN jedi_input.edge_id IS 'DEFT''s id of the edge';

COMMENT ON COLUMN jedi_input.role IS 'primary: split over jobs; secondary: goes to all';

COMMENT ON COLUMN jedi_input.reduce IS '1: one job over all units';

COMMENT ON COLUMN jedi_input.closed IS '1: DEFT said that no more units come';

COMMENT ON COLUMN jedi_input.unfed IS 'Available units without a row in jedi_job_unit';

COMMENT ON COLUMN jedi_input.missing IS 'Lost units without an ok row';

CREATE TABLE jedi_job (
    id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    state VARCHAR(32) NOT NULL,
    units INTEGER DEFAULT '0' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    charged INTEGER DEFAULT '0' NOT NULL,
    losses INTEGER DEFAULT '0' NOT NULL,
    message TEXT,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    remake SMALLINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_jedi_job PRIMARY KEY (id),
    CONSTRAINT uq_jedi_job_task_id_number UNIQUE (task_id, number),
    CONSTRAINT fk_jedi_job_task_id FOREIGN KEY(task_id) REFERENCES jedi_task (id)
);

CREATE INDEX ix_jedi_job_task_id_state_number ON jedi_job (task_id, state, number);

COMMENT ON TABLE jedi_job IS 'A job: a set of units of one task';

COMMENT ON COLUMN jedi_job.id IS 'What people name it by';

COMMENT ON COLUMN jedi_job.number IS '1, 2, 3 in the task; its six digits key the outputs';

COMMENT ON COLUMN jedi_job.state IS 'See deft/jedi/net.py';

COMMENT ON COLUMN jedi_job.units IS 'Units of input';

COMMENT ON COLUMN jedi_job.attempts IS 'Attempts made';

COMMENT ON COLUMN jedi_job.charged IS 'Attempts that count against retry.max_attempts';

COMMENT ON COLUMN jedi_job.losses IS 'Attempts lost through no fault of the job';

COMMENT ON COLUMN jedi_job.message IS 'What the newest attempt ended with';

COMMENT ON COLUMN jedi_job.remake IS '1: it makes what was lost again; 2: under way, and its input has another content';

CREATE TABLE jedi_unit (
    id BIGINT NOT NULL,
    dataset_id BIGINT NOT NULL,
    key VARCHAR(1000) NOT NULL,
    path VARCHAR(1000),
    state VARCHAR(32) NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    events BIGINT DEFAULT '0' NOT NULL,
    content VARCHAR(255),
    job_id BIGINT,
    position BIGINT NOT NULL,
    CONSTRAINT pk_jedi_unit PRIMARY KEY (id),
    CONSTRAINT uq_jedi_unit_dataset_id_key UNIQUE (dataset_id, key),
    CONSTRAINT ck_jedi_unit_state CHECK (state in ('available', 'lost')),
    CONSTRAINT fk_jedi_unit_dataset_id FOREIGN KEY(dataset_id) REFERENCES jedi_dataset (id)
);

COMMENT ON TABLE jedi_unit IS 'A unit of data: one file, or one number';

COMMENT ON COLUMN jedi_unit.id IS 'In the order in which units came';

COMMENT ON COLUMN jedi_unit.key IS 'A path, a number of a synthetic unit, or a job''s key';

COMMENT ON COLUMN jedi_unit.path IS 'Where the file is; null for a number or a mere marker';

COMMENT ON COLUMN jedi_unit.state IS 'available or lost';

COMMENT ON COLUMN jedi_unit.content IS 'Size and time of change: another content is another value';

COMMENT ON COLUMN jedi_unit.job_id IS 'The job that made it';

COMMENT ON COLUMN jedi_unit.position IS 'Order in its dataset, whenever it came';

CREATE TABLE deft_control (
    id BIGSERIAL NOT NULL,
    metatask_id BIGINT NOT NULL,
    node_id BIGINT,
    kind VARCHAR(32) NOT NULL,
    mode VARCHAR(32),
    actor VARCHAR(255) NOT NULL,
    reason TEXT,
    created TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_deft_control PRIMARY KEY (id),
    CONSTRAINT fk_deft_control_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_control_node_id FOREIGN KEY(node_id) REFERENCES deft_node (id)
);

CREATE INDEX ix_deft_control_metatask_id ON deft_control (metatask_id);

CREATE INDEX ix_deft_control_node_id_kind ON deft_control (node_id, kind);

COMMENT ON TABLE deft_control IS 'Who set a control that is in force, when and why';

COMMENT ON COLUMN deft_control.kind IS 'armed, hold, force, finish, abort';

COMMENT ON COLUMN deft_control.mode IS 'Of a hold: drain, requeue or kill';

CREATE TABLE deft_dataset (
    id BIGSERIAL NOT NULL,
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
    CONSTRAINT ck_deft_dataset_membership CHECK (membership IN ('declared', 'open', 'closed', 'retired')),
    CONSTRAINT fk_deft_dataset_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_dataset_producer_id FOREIGN KEY(producer_id) REFERENCES deft_node (id)
);

CREATE INDEX ix_deft_dataset_metatask_id ON deft_dataset (metatask_id);

CREATE INDEX ix_deft_dataset_producer_id ON deft_dataset (producer_id);

COMMENT ON TABLE deft_dataset IS 'Datasets: what edges carry; at most one producer, any number of consumers';

COMMENT ON COLUMN deft_dataset.revision IS '+1 each time it is opened again';

COMMENT ON COLUMN deft_dataset.order_seq IS 'Last order about it';

COMMENT ON COLUMN deft_dataset.synthetic IS 'Units of a generator''s input';

COMMENT ON COLUMN deft_dataset.open IS '1: external and may still grow';

COMMENT ON COLUMN deft_dataset.sources IS 'JSON: where the files of an external dataset lie';

COMMENT ON COLUMN deft_dataset.series IS 'In its name; +1 when it is discarded';

CREATE TABLE deft_history (
    id BIGSERIAL NOT NULL,
    metatask_id BIGINT NOT NULL,
    node_id BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor VARCHAR(255) NOT NULL,
    cause VARCHAR(32) NOT NULL,
    "old" VARCHAR(32),
    "new" VARCHAR(32),
    reason TEXT,
    CONSTRAINT pk_deft_history PRIMARY KEY (id),
    CONSTRAINT fk_deft_history_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_history_node_id FOREIGN KEY(node_id) REFERENCES deft_node (id)
);

CREATE INDEX ix_deft_history_metatask_id_id ON deft_history (metatask_id, id);

CREATE INDEX ix_deft_history_node_id_id ON deft_history (node_id, id);

COMMENT ON TABLE deft_history IS 'Every change: who, when, from, to, why';

COMMENT ON COLUMN deft_history.actor IS 'Who: user@host, or system';

COMMENT ON COLUMN deft_history.cause IS 'The transition or verb';

COMMENT ON COLUMN deft_history."old" IS 'State before';

COMMENT ON COLUMN deft_history."new" IS 'State after';

CREATE TABLE jedi_attempt (
    id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    token VARCHAR(32) NOT NULL,
    state VARCHAR(32) NOT NULL,
    open SMALLINT,
    backend VARCHAR(32) NOT NULL,
    folder VARCHAR(1000) NOT NULL,
    host VARCHAR(255),
    pid INTEGER,
    submitted TIMESTAMP WITH TIME ZONE NOT NULL,
    started TIMESTAMP WITH TIME ZONE,
    ended TIMESTAMP WITH TIME ZONE,
    exit_code INTEGER,
    signal INTEGER,
    outcome VARCHAR(32),
    message TEXT,
    wall_s DOUBLE PRECISION,
    cpu_s DOUBLE PRECISION,
    max_rss_mb DOUBLE PRECISION,
    leftovers INTEGER,
    CONSTRAINT pk_jedi_attempt PRIMARY KEY (id),
    CONSTRAINT uq_jedi_attempt_token UNIQUE (token),
    CONSTRAINT uq_jedi_attempt_job_id_number UNIQUE (job_id, number),
    CONSTRAINT fk_jedi_attempt_job_id FOREIGN KEY(job_id) REFERENCES jedi_job (id)
);

CREATE INDEX ix_jedi_attempt_open ON jedi_attempt (open);

COMMENT ON TABLE jedi_attempt IS 'One submission of a job; a row never changes once it has ended';

COMMENT ON COLUMN jedi_attempt.id IS 'In the order in which attempts were made';

COMMENT ON COLUMN jedi_attempt.number IS '1, 2, 3 in the job';

COMMENT ON COLUMN jedi_attempt.token IS 'Known to the back-end: looked up before submitting again';

COMMENT ON COLUMN jedi_attempt.open IS '1 until it ended, then null';

COMMENT ON COLUMN jedi_attempt.pid IS 'Of the payload';

COMMENT ON COLUMN jedi_attempt.outcome IS 'ok exit signal timeout no-output no-space lost cancelled revoked …';

COMMENT ON COLUMN jedi_attempt.leftovers IS 'Processes the payload left behind, killed';

CREATE TABLE jedi_job_unit (
    edge_id BIGINT NOT NULL,
    unit_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    job_id BIGINT,
    state VARCHAR(32) NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT pk_jedi_job_unit PRIMARY KEY (edge_id, unit_id),
    CONSTRAINT ck_jedi_job_unit_state CHECK (state in ('ready', 'running', 'ok', 'failed', 'skipped', 'used', 'parked')),
    CONSTRAINT fk_jedi_job_unit_unit_id FOREIGN KEY(unit_id) REFERENCES jedi_unit (id)
);

CREATE INDEX ix_jedi_job_unit_job_id ON jedi_job_unit (job_id);

CREATE INDEX ix_jedi_job_unit_task_id_state_position ON jedi_job_unit (task_id, state, position);

CREATE INDEX ix_jedi_job_unit_unit_id ON jedi_job_unit (unit_id);

COMMENT ON TABLE jedi_job_unit IS 'A unit fed to a task by one of its edges';

COMMENT ON COLUMN jedi_job_unit.job_id IS 'The job it is packed in; null until then';

COMMENT ON COLUMN jedi_job_unit.state IS 'See deft/jedi/jobs.py';

COMMENT ON COLUMN jedi_job_unit.attempts IS 'Charged attempts';

COMMENT ON COLUMN jedi_job_unit.position IS 'That of the unit: jobs take units in this order';

CREATE TABLE deft_edge (
    id BIGSERIAL NOT NULL,
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
    CONSTRAINT fk_deft_edge_metatask_id FOREIGN KEY(metatask_id) REFERENCES deft_metatask (id),
    CONSTRAINT fk_deft_edge_source_id FOREIGN KEY(source_id) REFERENCES deft_node (id),
    CONSTRAINT fk_deft_edge_target_id FOREIGN KEY(target_id) REFERENCES deft_node (id),
    CONSTRAINT fk_deft_edge_dataset_id FOREIGN KEY(dataset_id) REFERENCES deft_dataset (id)
);

CREATE INDEX ix_deft_edge_dataset_id ON deft_edge (dataset_id);

CREATE INDEX ix_deft_edge_metatask_id ON deft_edge (metatask_id);

CREATE INDEX ix_deft_edge_source_id ON deft_edge (source_id);

CREATE INDEX ix_deft_edge_target_id ON deft_edge (target_id);

COMMENT ON TABLE deft_edge IS 'Edges of the graph: producer, consumer, the dataset between them, the consumer''s policies';

COMMENT ON COLUMN deft_edge.source_id IS 'Null: the implicit input of a generator';

COMMENT ON COLUMN deft_edge.position IS 'Order in the document';

COMMENT ON COLUMN deft_edge.document_id IS 'The edge''s id in the document it came from';

COMMENT ON COLUMN deft_edge.settings IS 'JSON: the edge''s keys of the profile';

COMMENT ON COLUMN deft_edge.foreign_parts IS 'JSON: what other tools wrote';

COMMENT ON COLUMN deft_edge.start_kind IS 'complete, count or percent';

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version (version_num) VALUES ('0004');
