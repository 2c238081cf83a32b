-- What each side may do on the tables of DEFT for postgresql, revision 0006.
-- Rendered by `deft db ddl --grants`; do not edit. Run it as the owner of the tables, after every
-- upgrade. Once, before: CREATE ROLE deft_side; CREATE ROLE jedi_side;
-- After it, each user gets the role of its side: GRANT deft_side TO somebody;

GRANT SELECT, INSERT, UPDATE, DELETE ON deft_command TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_command_metatask TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_control TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_count TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_dataset TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_dirty TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_edge TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_history TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_metatask TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON deft_node TO deft_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_attempt TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_dataset TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_input TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_job TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_job_unit TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_lease TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_submission TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_task TO jedi_side;
GRANT SELECT, INSERT, UPDATE, DELETE ON jedi_unit TO jedi_side;
GRANT SELECT ON wire_answer TO deft_side;
GRANT SELECT, INSERT ON wire_answer TO jedi_side;
GRANT SELECT, UPDATE, DELETE ON wire_changed TO deft_side;
GRANT SELECT, INSERT ON wire_changed TO jedi_side;
GRANT SELECT ON wire_dataset TO deft_side;
GRANT SELECT, INSERT, UPDATE ON wire_dataset TO jedi_side;
GRANT SELECT ON wire_input TO deft_side;
GRANT SELECT, INSERT, UPDATE ON wire_input TO jedi_side;
GRANT SELECT, INSERT ON wire_order TO deft_side;
GRANT SELECT, UPDATE (pending, applied) ON wire_order TO jedi_side;
GRANT SELECT ON wire_task TO deft_side;
GRANT SELECT, INSERT, UPDATE ON wire_task TO jedi_side;
GRANT SELECT ON alembic_version TO deft_side;
GRANT SELECT ON alembic_version TO jedi_side;
