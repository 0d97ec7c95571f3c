// What a page does beyond being read: draws its charts, sorts and filters its tables, copies commands, unfolds for print.
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const schemes = json("schemes");
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

  // Charts: drawn when there is room for them, and again when the scheme or the columns of their legend change.
  const charts = all(".chart");
  let printing = false; // paper is light, also for a chart that is drawn again because paper is narrower
  const chosen = () => document.documentElement.dataset.theme || (systemIsDark.matches ? "dark" : "light");

  async function draw(chart) {
    const wanted = printing ? "light" : chosen();
    const width = chart.clientWidth;
    if (!width) return;
    const room = width - schemes.legendAxis; // this and the next as theme.legend
    const columns = Math.max(1, Math.floor(room / chart.dataset.column));
    const state = `${wanted} ${columns}`;
    if (chart.dataset.state === state) return;
    chart.dataset.state = state;
    chart.style.minHeight = `${chart.offsetHeight}px`;
    const legend = { ...schemes[wanted].legend, columns, labelLimit: Math.floor(room / columns) - schemes.legendMark };
    const place = document.createElement("div");
    place.ariaHidden = "true"; // its title and caption say it: no reader should hear of marks and ticks
    try {
      chart.view?.finalize();
      chart.firstElementChild.replaceChildren(place);
      const view = await vegaEmbed(place, json(chart.dataset.spec), {
        config: { ...schemes[wanted], legend },
        renderer: chart.dataset.renderer,
        actions: false,
        ast: true,
        tooltip: { theme: wanted },
      });
      if (!place.isConnected) return view.finalize(); // another drawing began meanwhile and took the place
      chart.view = view;
      chart.dataset.drawn = wanted;
    } catch (error) {
      console.error(error);
      if (!place.isConnected) return;
      chart.firstElementChild.textContent = "This chart could not be drawn; its numbers are below.";
      chart.closest("figure").querySelector(".numbers").open = true;
    }
    chart.style.minHeight = "";
  }

  const drawAll = () => charts.forEach((chart) => draw(chart));
  const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => draw(target)));
  charts.forEach((chart) => sized.observe(chart));
  systemIsDark.addEventListener("change", () => drawAll());
  const themes = document.querySelector(".theme");
  themes.hidden = false;
  themes.addEventListener("change", ({ target }) => {
    if (target.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = target.value;
    drawAll();
  });

  // Numbers of charts are folded only where a script can draw the charts. Paper has everything unfolded, in light.
  all(".numbers").forEach((details) => (details.open = false));
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    opened.forEach((details) => (details.open = true));
    printing = true;
    drawAll();
  });
  addEventListener("afterprint", () => {
    printing = false;
    opened.forEach((details) => (details.open = false));
    drawAll();
  });
  const unfold = () => all(`[id="${CSS.escape(location.hash.slice(1))}"] > .folded`).forEach((part) => (part.open = true));
  addEventListener("hashchange", unfold);
  unfold();

  // A region takes part in the keyboard's order only while there is something to scroll.
  const regions = new ResizeObserver((entries) =>
    entries.forEach(({ target }) => {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }),
  );
  all(".scroll, .chart.wide").forEach((region) => regions.observe(region));

  // Tables: cells carry their place in ascending order; one without is unknown and stays last.
  all("[data-controls]").forEach((listing) => {
    const body = listing.querySelector("tbody");
    const original = [...body.rows];
    const headers = all("thead th", listing);
    const filter = listing.querySelector("input");
    const count = listing.querySelector(".count");

    function sort(column, direction) {
      headers.forEach((header, place) => header.setAttribute("aria-sort", place === column ? direction : "none"));
      const sign = direction === "descending" ? -1 : 1;
      const rank = (row) => row.cells[column].dataset.rank;
      const known = original.filter((row) => rank(row) !== undefined);
      const unknown = original.filter((row) => rank(row) === undefined);
      body.append(...known.sort((one, other) => sign * (rank(one) - rank(other))), ...unknown);
    }

    function show() {
      const words = filter.value.toLowerCase().split(/\s+/);
      original.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      count.textContent = `${original.filter((row) => !row.hidden).length} of ${original.length} rows`;
    }

    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      header.setAttribute("aria-sort", "none");
      button.addEventListener("click", () =>
        sort(column, header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"),
      );
    });
    filter.addEventListener("input", show);
    listing.querySelector(".reset").addEventListener("click", () => {
      filter.value = "";
      show();
      headers.forEach((header) => header.setAttribute("aria-sort", "none"));
      body.append(...original);
    });
    listing.querySelector(".controls").hidden = false;
  });

  // Commands: to the clipboard, or selected where the browser does not let a page write there.
  all(".copy").forEach((button) => {
    const code = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = document.execCommand("copy") ? "Copied" : "Selected: copy it";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  });
})();
