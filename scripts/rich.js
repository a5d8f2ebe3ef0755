/* The rich text editor of the composer: TipTap with the marked blocks of a message (mail/blocks.py). Bundled by scripts/assets.py.

window.PostroomRich(options) -> {html(), set(typed), focus(), run(name, value), on(name), link(), undoable(), text(), destroy()}
options: element, typed (as in the textarea), label, words {kind: label, ...}, style (of quotes), changed(), pictures(files), dropped().
What nobody touched comes out exactly as it went in. HTML that this editor cannot write (tables, pictures, styles) stays whole in a
block that is moved and deleted, or made plain text, but not edited. */
import { Editor, Node } from "@tiptap/core";
import HardBreak from "@tiptap/extension-hard-break";
import { closeHistory } from "@tiptap/pm/history";
import { DOMSerializer } from "@tiptap/pm/model";
import StarterKit from "@tiptap/starter-kit";

const KINDS = "default|template|signature|quote";
const BLOCK = new RegExp(`<!-- (${KINDS}) -->\\n?([\\s\\S]*?)\\n?<!-- /\\1 -->`, "g");
const MARK = new RegExp(`<!-- /?(?:${KINDS}) -->\\n?`, "g");
const CURSOR = "<!-- cursor -->";
const KNOWN = new Set("P BR B STRONG I EM U S A UL OL LI BLOCKQUOTE H1 H2 H3 H4 H5 H6 HR CODE PRE".split(" "));
const DOCUMENT = /<\s*(p|div|table|html|body|pre|section|article|center)\b/i, PIECE = /<\s*\/?\s*(ul|ol|li|h[1-6]|blockquote|hr)\b/i;

/* Typed text as HTML: as mail/paragraphs.py does it. */
const paragraphs = (typed) => {
  if (!typed.trim() || DOCUMENT.test(typed)) return typed;
  return typed.replace(/\r\n?/g, "\n").replace(/^\n+|\n+$/g, "").split(/\n[ \t]*\n/).filter((part) => part.trim())
    .map((part) => (PIECE.test(part) ? part : `<p>${part.replace(/^\n+|\n+$/g, "").replace(/(<br\s*\/?>)?\n/gi, "<br>")}</p>`)).join("");
};
const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;
const isKnown = (html, style) => [...parsed(html).querySelectorAll("*")].every((el) => KNOWN.has(el.tagName) && [...el.attributes].every(({ name, value }) =>
  (el.tagName === "A" && (name === "href" ? /^(https?|mailto|tel):/i.test(value) : /^(rel|target)$/.test(name))) || (el.tagName === "OL" && name === "start") || (el.tagName === "BLOCKQUOTE" && name === "style" && value === style)));
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/* A copy to be looked at: nothing in it acts or loads. */
const harmless = (html) => {
  const body = parsed(html);
  body.querySelectorAll("script, style, link, meta, iframe, object, embed, form, input, button, select, textarea, video, audio, svg, math, base, title").forEach((el) => el.remove());
  body.querySelectorAll("*").forEach((el) => {
    [...el.attributes].forEach(({ name, value }) => { if (/^on|^(id|name|href|background|srcset|action|formaction|is|slot)$/i.test(name) || /url\s*\(|\\/i.test(name === "style" ? value : "")) el.removeAttribute(name); });
    if (el.tagName === "IMG" && !/^data:image\/(png|jpeg|gif|webp)/i.test(el.getAttribute("src") || "")) el.replaceWith(`[${el.getAttribute("alt") || "…"}]`);
  });
  return body;
};
const lines = (html) => {
  const body = harmless(html);
  body.querySelectorAll("br, p, div, tr, li, h1, h2, h3, h4, h5, h6, blockquote").forEach((el) => el.after("\n"));
  return body.textContent.split(/\n\s*\n|\n/).map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean);
};

window.PostroomRich = (options) => {
  const { words, style } = options, mine = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  const sources = new Map(), shapes = new Map();
  let count = 0;
  const known = (el) => (sources.has(el.dataset.n) ? { n: el.dataset.n, kind: el.dataset.kind } : false);
  const attributes = { n: { default: "" }, kind: { default: "" } };
  const rendered = ({ node, name, hole }) => ["div", { [name]: "", "data-n": node.attrs.n, "data-kind": node.attrs.kind, ...(hole ? { class: "pr-marked", title: words[node.attrs.kind] } : {}) }, ...(hole ? [0] : [])];

  const Marked = Node.create({
    name: "marked", group: "block", content: "block+", defining: true,
    addAttributes: () => ({ n: { ...attributes.n, rendered: false }, kind: { ...attributes.kind, rendered: false } }),
    parseHTML: () => [{ tag: "div[data-marked]", getAttrs: known }],
    renderHTML: ({ node }) => rendered({ node, name: "data-marked", hole: true }),
  });
  const Island = Node.create({
    name: "island", group: "block", atom: true, selectable: true, draggable: true,
    addAttributes: () => ({ n: { ...attributes.n, rendered: false }, kind: { ...attributes.kind, rendered: false } }),
    parseHTML: () => [{ tag: "div[data-island]", getAttrs: known }],
    renderHTML: ({ node }) => rendered({ node, name: "data-island" }),
    addNodeView: () => ({ node, editor, getPos }) => {
      const dom = document.createElement("div"), head = document.createElement("div"), view = document.createElement("div");
      dom.className = "pr-island"; dom.setAttribute("role", "group"); dom.setAttribute("aria-label", words[node.attrs.kind] || words.html);
      head.className = "pr-islandh"; head.append(words[node.attrs.kind] || words.html);
      const act = (label, go) => { const button = document.createElement("button"); button.type = "button"; button.className = "pr-link"; button.textContent = label; button.addEventListener("click", go); head.append(button); };
      const replace = (html) => editor.chain().focus().insertContentAt({ from: getPos(), to: getPos() + editor.state.doc.nodeAt(getPos()).nodeSize }, html).run();
      act(words.plain, () => {
        const text = lines(sources.get(node.attrs.n)).map((line) => `<p>${escaped(line)}</p>`).join("") || "<p></p>";
        replace(node.attrs.kind ? `<div data-marked data-n="${node.attrs.n}" data-kind="${node.attrs.kind}">${node.attrs.kind === "quote" ? `<blockquote>${text}</blockquote>` : text}</div>` : text);
      });
      act(words.remove, () => replace("<p></p>"));
      view.attachShadow({ mode: "open" }).append(...harmless(sources.get(node.attrs.n)).childNodes);
      dom.append(head, view);
      return { dom, stopEvent: (event) => event.target.closest?.("button") != null, ignoreMutation: () => true };
    },
  });

  const Break = HardBreak.extend({ addKeyboardShortcuts() { return { "Shift-Enter": () => this.editor.commands.setHardBreak() }; } });  // Ctrl+Enter sends

  const piece = (kind, inner) => {
    if (!kind && !inner.trim()) return "";
    const n = `${mine}-${count += 1}`, html = kind === "quote" ? inner : paragraphs(inner);
    sources.set(n, inner);
    if (!isKnown(html, style)) return `<div data-island data-n="${n}" data-kind="${kind}"></div>`;
    return kind ? `<div data-marked data-n="${n}" data-kind="${kind}">${html || "<p></p>"}</div>` : html;
  };
  const load = (typed) => {
    const found = []; let at = 0;
    for (const block of typed.matchAll(BLOCK)) { found.push(["", typed.slice(at, block.index).replace(MARK, "")], [block[1], block[2]]); at = block.index + block[0].length; }
    found.push(["", typed.slice(at).replace(MARK, "")]);
    // there is a line to type in before what is quoted or signed
    return found.map(([kind, inner], number) => piece(kind, inner) || (!kind && number < found.length - 1 && !/^(default|template)$/.test(found[number + 1][0]) && !(number > 1 && found[number - 1][0] === "signature") ? "<p></p>" : "")).join("");
  };

  const box = document.createElement("div");
  const html = (nodes) => {
    box.replaceChildren(...nodes.map((node) => serializer.serializeNode(node)));
    box.querySelectorAll("p:empty, li > p:only-child:empty").forEach((el) => el.append(document.createElement("br")));
    return box.innerHTML;
  };
  const shape = (node) => { const inner = []; node.forEach((child) => inner.push(child)); return html(inner); };
  const learn = () => editor.state.doc.forEach((node) => { if (node.type.name === "marked" && !shapes.has(node.attrs.n)) shapes.set(node.attrs.n, shape(node)); });
  const isEmpty = (node) => node.type.name === "paragraph" && node.content.size === 0;
  const typed = (cursor = false) => {
    const out = []; let group = [], index = 0;
    const at = cursor ? editor.state.selection.$from.index(0) : -1;
    const flush = () => { if (group.some((node) => !isEmpty(node))) out.push(html(group)); group = []; };
    editor.state.doc.forEach((node) => {
      const { n, kind } = node.attrs;
      if (node.type.name === "marked" || node.type.name === "island") {
        flush();
        const inner = node.type.name === "island" ? sources.get(n) : shapes.get(n) === shape(node) ? sources.get(n) : shape(node);
        out.push(kind ? `<!-- ${kind} -->\n${inner}\n<!-- /${kind} -->` : inner);
      } else group.push(node);
      if (index === at) { flush(); out.push(CURSOR); }
      index += 1;
    });
    flush();
    return out.join("\n");
  };

  const editor = new Editor({
    element: options.element, injectCSS: false, content: load(options.typed),
    extensions: [Break, StarterKit.configure({ hardBreak: false, blockquote: { HTMLAttributes: { style } }, link: { openOnClick: false, HTMLAttributes: { rel: null, target: null } } }), Marked, Island],
    editorProps: {
      attributes: { class: "pr-rich", role: "textbox", "aria-multiline": "true", "aria-label": options.label },
      handleDOMEvents: { keydown: (view, event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) },  // the page's: it sends
      handlePaste: (view, event) => {
        const files = [...(event.clipboardData?.files || [])];
        if (!files.length || event.clipboardData.types.includes("text/html") && event.clipboardData.getData("text/plain")) return false;
        options.pictures(files); return true;
      },
      transformPastedHTML: (pasted) => { if (/<img\b/i.test(pasted)) options.dropped(); return pasted; },
    },
    onUpdate: () => options.changed(), onSelectionUpdate: () => options.moved?.(), onTransaction: () => options.moved?.(),
  });
  const serializer = DOMSerializer.fromSchema(editor.schema);
  learn();
  const COMMANDS = { bold: "toggleBold", italic: "toggleItalic", underline: "toggleUnderline", bulletList: "toggleBulletList", orderedList: "toggleOrderedList", blockquote: "toggleBlockquote", undo: "undo", redo: "redo" };
  return {
    html: typed, withCursor: () => typed(true), text: () => editor.getText(),
    set: (text) => { editor.view.dispatch(closeHistory(editor.state.tr)); editor.chain().setMeta("addToHistory", true).setContent(load(text), { emitUpdate: false }).run(); learn(); },
    focus: () => {
      let place = null;
      editor.state.doc.forEach((node, offset) => { if (place === null && !/^(marked|island)$/.test(node.type.name)) place = offset + 1; });
      editor.commands.focus(place ?? "start");
    },
    run: (name) => editor.chain().focus()[COMMANDS[name]]().run(),
    on: (name) => editor.isActive(name), can: (name) => editor.can()[name]?.(),
    link: () => editor.getAttributes("link").href || "",
    setLink: (href) => (href ? (editor.state.selection.empty && !editor.isActive("link") ? editor.chain().focus().insertContent({ type: "text", text: href, marks: [{ type: "link", attrs: { href } }] }) : editor.chain().focus().extendMarkRange("link").setLink({ href })) : editor.chain().focus().extendMarkRange("link").unsetLink()).run(),
    destroy: () => editor.destroy(), editor,
  };
};
