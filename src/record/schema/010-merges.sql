-- Segments come a few times a second; merging them by twos and threes as soon as they are there took a third of the engine's time.
-- Stores older than 24.10 do not know it: they are told of another what they do anyway.
ALTER TABLE {database}.events MODIFY SETTING min_parts_to_merge_at_once = 12
-- otherwise
ALTER TABLE {database}.events MODIFY SETTING max_parts_to_merge_at_once = 100;
