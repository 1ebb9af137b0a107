/* What senders name by a word of a list that may grow: said where it is known, else as it was sent. */

import { sayOr } from "./words.js";

/* "copper_nickel": each metal by itself. */
export function commodityOf(name) { return name.split("_").map((one) => sayOr("commodity.", one)).join(", "); }

/* An attribute that travels with the mass, such as ghg; how well it is known. */
export function attributeOf(name) { return sayOr("attribute.of.", name); }
export function qualityOf(name) { return sayOr("quality.", name); }

/* What an origin or a stage is of: dry mass, or a metal. */
export function materialOf(name) { return sayOr("material.", name); }
export function stageOf(name) { return sayOr("stage.", name); }
