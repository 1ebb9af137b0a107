-- The chi-square of an unused shot is that to the used shot it agrees with least.
ALTER TABLE custody.alert
    COMMENT COLUMN IF EXISTS `gated.value` 'Chi-square of its distance to the used shot it agrees with least; to the nearest where none is used. Unit: none. Source: rule.';
