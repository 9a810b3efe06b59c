(() => {
  "use strict";
  const root = document.documentElement;
  const tip = document.getElementById("tip");

  // The theme: the system's, unless a reader chooses another; it is remembered where the browser lets us.
  const button = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  let theme = "auto";
  try { theme = localStorage.getItem("striate-theme") || "auto"; } catch { /* a file without storage */ }
  const show = (chosen) => {
    theme = themes.includes(chosen) ? chosen : "auto";
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    show(themes[(themes.indexOf(theme) + 1) % themes.length]);
    try { localStorage.setItem("striate-theme", theme); } catch { /* then it isn't remembered */ }
  });
  show(theme);

  // One tip for everything that has something to tell.
  const tell = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x + 14), innerWidth - box.width - 8);
    const top = y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  };
  const hush = () => { tip.hidden = true; };
  document.addEventListener("pointermove", (event) => {
    const told = event.target instanceof Element && event.target.closest("[data-tip]");
    if (told) tell(told.dataset.tip, event.clientX, event.clientY);
    else if (!(event.target instanceof Element && event.target.closest(".chart svg, .heat img"))) hush();
  });
  document.addEventListener("pointerleave", hush);
  document.addEventListener("scroll", hush, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });

  // Charts: a pointer or a slider asks for the values at a place.
  const made = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  for (const figure of document.querySelectorAll(".chart[data-points]")) {
    const points = JSON.parse(figure.dataset.points);
    if (!points.length) continue;
    const svg = figure.querySelector("svg");
    const cursor = svg.querySelector(".cursor");
    const markers = points[0].values.map(() => svg.appendChild(made("circle", { class: "marker", r: 4, visibility: "hidden" })));
    const ask = document.createElement("div");
    ask.className = "ask";
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: 0, max: points.length - 1, step: 1, value: points.length - 1 });
    slider.setAttribute("aria-label", figure.querySelector(".label").textContent);
    const output = document.createElement("output");
    ask.append(slider, output);
    figure.append(ask);
    const told = (point) => `${figure.dataset.across} ${point.x}: ${point.values.map(([name, value]) => `${name} ${value}`).join(", ")}`;
    const at = (index) => {
      const point = points[index];
      slider.value = index;
      slider.setAttribute("aria-valuetext", told(point));
      output.textContent = told(point);
      cursor.setAttribute("x1", point.at);
      cursor.setAttribute("x2", point.at);
      cursor.setAttribute("visibility", "visible");
      point.values.forEach(([, , y], i) => {
        markers[i].setAttribute("visibility", y === null ? "hidden" : "visible");
        if (y !== null) { markers[i].setAttribute("cx", point.at); markers[i].setAttribute("cy", y); }
      });
      return point;
    };
    slider.addEventListener("input", () => at(Number(slider.value)));
    slider.setAttribute("aria-valuetext", told(points[points.length - 1]));
    output.textContent = told(points[points.length - 1]);
    svg.addEventListener("pointermove", (event) => {
      const x = (event.clientX - svg.getBoundingClientRect().left) / svg.getBoundingClientRect().width * svg.viewBox.baseVal.width;
      let nearest = 0;
      points.forEach((point, i) => { if (Math.abs(point.at - x) < Math.abs(points[nearest].at - x)) nearest = i; });
      const point = at(nearest);
      tell([`${figure.dataset.across} ${point.x}`, ...point.values.map(([name, value]) => `${name} ${value}`)].join("\n"), event.clientX, event.clientY);
    });
    svg.addEventListener("pointerleave", hush);
  }

  // A wide graph begins in its middle.
  for (const graph of document.querySelectorAll(".graph")) graph.scrollLeft = (graph.scrollWidth - graph.clientWidth) / 2;

  // A matrix of many classes is a picture; its numbers are asked for by pointing.
  for (const figure of document.querySelectorAll(".heat")) {
    if (!figure.dataset.facts) continue;
    const { classes, cells } = JSON.parse(figure.dataset.facts);
    const counts = new Map(cells.map(([row, column, count]) => [row * classes.length + column, count]));
    const image = figure.querySelector("img");
    image.addEventListener("pointermove", (event) => {
      const box = image.getBoundingClientRect();
      const place = (at, start, length) => Math.min(classes.length - 1, Math.max(0, Math.floor((at - start) / length * classes.length)));
      const row = place(event.clientY, box.top, box.height);
      const column = place(event.clientX, box.left, box.width);
      const count = counts.get(row * classes.length + column) || 0;
      tell(`${classes[row]} ${row === column ? "told right" : `taken for ${classes[column]}`}: ${count}`, event.clientX, event.clientY);
    });
    image.addEventListener("pointerleave", hush);
  }

  // Where a reader is.
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.classList.remove("here");
      links.get(entry.target.id)?.classList.add("here");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("main > section")) seen.observe(section);

  // Paper has nothing to unfold.
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
})();
