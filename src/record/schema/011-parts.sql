-- What one segment brings goes into one file: as one for each column, making and syncing a hundred files took as long as packing
-- what is in them. Merged parts are larger, and have their columns apart.
ALTER TABLE {database}.events MODIFY SETTING min_bytes_for_wide_part = 104857600;
-- Nobody asks in a way that statistics of all columns would help; they are a tenth of an insert. Stores before 25.10 make none.
ALTER TABLE {database}.events MODIFY SETTING auto_statistics_types = ''
-- otherwise
ALTER TABLE {database}.events MODIFY SETTING max_parts_to_merge_at_once = 100;
