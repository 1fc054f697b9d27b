// Comfort for the administrators' pages: every one works without it.
'use strict';
