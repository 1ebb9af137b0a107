/* Light or dark before the first paint: as was chosen here, else as the machine is set. */
(function () {
  "use strict";
  let chosen = null;
  try { chosen = localStorage.getItem("custody.theme"); } catch { /* a browser without storage */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
