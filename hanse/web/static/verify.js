// Checks a proof in the browser by WebCrypto alone; nothing is sent.
//
// Data block of `ui.proof_view` (all bytes base64):
//   index, size            position of the entry, size of the tree
//   leaf                   the entry's bytes
//   proof                  [hash, ...] from the leaf upwards (RFC 6962, section 2.1.1)
//   root                   the tree's root
//   note                   the signed checkpoint (C2SP signed-note, tlog-checkpoint)
//   vkeys                  ["name+hex+base64", ...] keys the reader trusts (type 1 Ed25519, type 4 cosignature/v1)
//   fact (optional)        {jws, public_key, signer} a compact JWS (EdDSA), or {signed, signature, public_key, signer}
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const base64 = (array) => btoa(String.fromCharCode(...array));
const hex = (array) => [...array].map((b) => b.toString(16).padStart(2, "0")).join("");
const utf8 = (text) => new TextEncoder().encode(text);
const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
};
const equal = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
const contains = (outer, inner) => {
  for (let i = 0; i + inner.length <= outer.length; i++) {
    let j = 0;
    while (j < inner.length && outer[i + j] === inner[j]) j++;
    if (j === inner.length) return true;
  }
  return false;
};

export const ed25519 = async (key, signature, message) => {
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
};

// RFC 9162, section 2.1.3.2, keeping each step for the drawing. Throws when the path does not fit the size.
export const inclusion = async (leaf, index, size, proof) => {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
    throw new Error("the position is outside the tree");
  let fn = index;
  let sn = size - 1;
  let hash = await sha256(join(Uint8Array.of(0), leaf));
  const path = [{ hash }];
  for (const sibling of proof) {
    if (sn === 0) throw new Error("the path is longer than the tree is high");
    const left = fn % 2 === 1 || fn === sn;
    hash = await sha256(left ? join(Uint8Array.of(1), sibling, hash) : join(Uint8Array.of(1), hash, sibling));
    if (left)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
    path.push({ hash, sibling, left });
  }
  if (sn !== 0) throw new Error("the path is shorter than the tree is high");
  return { root: hash, path };
};

// C2SP signed-note: which of the trusted keys signed the checkpoint.
export const noteSigners = async (note, vkeys) => {
  const cut = note.lastIndexOf("\n\n");
  if (cut < 0) throw new Error("the checkpoint has no signatures");
  const text = note.slice(0, cut + 1);
  const [origin, size, root] = text.split("\n");
  const lines = note
    .slice(cut + 2)
    .split("\n")
    .filter(Boolean)
    .map((line) => /^— (\S+) (\S+)$/.exec(line))
    .filter(Boolean);
  const signers = [];
  for (const vkey of vkeys) {
    const [name, id, ...rest] = vkey.split("+");
    const key = bytes(rest.join("+"));
    const own = hex((await sha256(join(utf8(`${name}\n`), key))).slice(0, 4));
    if (own !== id) throw new Error(`the key of ${name} is damaged`);
    for (const [, who, raw] of lines) {
      const data = bytes(raw);
      if (who !== name || hex(data.slice(0, 4)) !== id) continue;
      let message = utf8(text);
      let signature = data.slice(4);
      if (key[0] === 4) {
        message = join(
          utf8(`cosignature/v1\ntime ${new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0)}\n`),
          message,
        );
        signature = signature.slice(8);
      } else if (key[0] !== 1) continue;
      if (await ed25519(key.slice(1), signature, message)) signers.push(name);
    }
  }
  return { origin, size: Number(size), root, signers };
};

const part = (jws, n) => JSON.parse(new TextDecoder().decode(bytes(jws.split(".")[n])));

// Whether an entry of ours holds what was signed: the fact itself, or a fact that leads to the root of a signed batch.
const covered = async (jws, leaf) => {
  const lines = new TextDecoder().decode(leaf).split("\n");
  if (lines[0] === "hanse/1 fact") return lines.length === 3 && lines[2] === jws;
  if (lines[0] !== "hanse/1 batched") return contains(leaf, utf8(jws));
  const [, , fact, place, statement] = lines;
  if (lines.length !== 5 || statement !== jws) return false;
  const [index, packed] = place.split(" ");
  const hashes = bytes(packed);
  const path = Array.from({ length: hashes.length / 32 }, (_, n) => hashes.slice(32 * n, 32 * n + 32));
  const said = part(statement, 1);
  const own = part(fact, 1);
  if (said.net !== own.net || said.iss !== own.iss || said.kid !== own.kid) return false;
  return equal((await inclusion(utf8(fact), Number(index), said.size, path)).root, bytes(said.root));
};

const factSigned = async (fact, leaf) => {
  if (!fact.jws)
    return {
      valid: await ed25519(bytes(fact.public_key), bytes(fact.signature), bytes(fact.signed)),
      inside: contains(leaf, bytes(fact.signed)),
    };
  const [header, payload, signature] = fact.jws.split(".");
  if (JSON.parse(new TextDecoder().decode(bytes(header))).alg !== "EdDSA")
    throw new Error("the signature's algorithm is not EdDSA");
  return {
    valid: await ed25519(bytes(fact.public_key), bytes(signature), utf8(`${header}.${payload}`)),
    inside: await covered(fact.jws, leaf),
  };
};

// Every check: [{name, state: "proven" | "wrong" | "not disclosed", words}], and the path for the drawing.
export const verify = async (d) => {
  const checks = [];
  const leaf = bytes(d.leaf);
  let walked = null;
  const attempt = async (name, task) => {
    try {
      const [right, words] = await task();
      checks.push({ name, state: right ? "proven" : "wrong", words });
    } catch (error) {
      checks.push({ name, state: "wrong", words: `${error.message || "The browser could not check it"}.` });
    }
  };
  await attempt("Path", async () => {
    walked = await inclusion(leaf, d.index, d.size, d.proof.map(bytes));
    const right = equal(walked.root, bytes(d.root));
    return [
      right,
      right
        ? `Entry ${d.index} leads to the root of a record of ${d.size} entries in ${d.proof.length} steps.`
        : "The entry does not lead to this root.",
    ];
  });
  await attempt("Root", async () => {
    const note = await noteSigners(d.note, d.vkeys);
    if (note.size !== d.size || note.root !== d.root) return [false, "The signed root is another one than the path's."];
    const unique = [...new Set(note.signers)];
    return [
      unique.length > 0,
      unique.length ? `Signed by ${unique.join(", ")} for ${note.origin}.` : "No key that you trust signed this root.",
    ];
  });
  if (d.fact)
    await attempt("Signature", async () => {
      const { valid, inside } = await factSigned(d.fact, leaf);
      if (!valid) return [false, "The signature does not belong to this document."];
      return [
        inside,
        inside
          ? `Signed by ${d.fact.signer}, byte for byte as recorded` +
            (d.fact.batched ? ", with one signature over a batch that this entry is part of." : ".")
          : "The signed document is not the one in this entry.",
      ];
    });
  else
    checks.push({
      name: "Signature",
      state: "not disclosed",
      words:
        "There is no signature to check here: nobody signs such an entry, or its key is not shown to you. " +
        "Its place on the record is checked.",
    });
  return { checks, path: walked?.path || [], right: checks.every((c) => c.state !== "wrong") };
};

const SVG = "http://www.w3.org/2000/svg";
const element = (name, attributes, text) => {
  const e = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text) e.textContent = text;
  return e;
};

// The path from the entry (bottom) to the root (top), with the neighbour that each step needs.
export const drawPath = (box, path, right) => {
  const step = 52;
  const width = 132;
  const height = 28;
  const middle = 250;
  const total = Math.max(1, path.length) * step;
  const svg = element("svg", {
    width: 500,
    height: total,
    viewBox: `0 0 500 ${total}`,
    role: "img",
    "aria-label": `Proof path of ${Math.max(0, path.length - 1)} steps`,
  });
  const short = (hash) => `${base64(hash).slice(0, 11)}…`;
  const node = (x, y, kind, text) => {
    svg.append(
      element("rect", { x: x - width / 2, y, width, height, rx: 7, class: `node ${kind}` }),
      element("text", { x, y: y + 18, "text-anchor": "middle" }, text),
    );
  };
  path.forEach((one, level) => {
    const y = total - (level + 1) * step + 12;
    if (level + 1 < path.length) {
      const next = path[level + 1];
      const side = next.left ? middle - 164 : middle + 164;
      svg.append(
        element("path", { class: "edge", d: `M${side} ${y}C${side} ${y - 14} ${middle} ${y - 6} ${middle} ${y - 24}` }),
        element("path", { class: "edge edge-own", d: `M${middle} ${y}V${y - 24}` }),
      );
      node(side, y, "", short(next.sibling));
    }
    const top = level === path.length - 1;
    node(
      middle,
      y,
      top ? (right ? "node-root" : "node-bad") : "node-own",
      top
        ? `root ${short(one.hash).slice(0, 8)}…`
        : level === 0
          ? `entry ${short(one.hash).slice(0, 7)}…`
          : short(one.hash),
    );
  });
  box.replaceChildren(svg);
};

const show = async (section) => {
  const data = JSON.parse(section.querySelector('script[type="application/json"]').textContent);
  const { checks, path, right } = await verify(data);
  const result = section.querySelector("[data-result]");
  result.className = `proof-result callout ${right ? "callout-good" : "callout-bad"}`;
  const strong = document.createElement("strong");
  strong.textContent = right
    ? "Proven: this entry is on the record, unchanged."
    : "Wrong: this entry does not match the record.";
  result.replaceChildren(strong);
  section.querySelector("[data-checks]").replaceChildren(
    ...checks.map((c) => {
      const li = document.createElement("li");
      const badge = document.createElement("span");
      const words = document.createElement("span");
      badge.className = `badge badge-${{ proven: "proven", wrong: "bad" }[c.state] || "quiet"}`;
      badge.textContent = c.state;
      words.textContent = `${c.name}: ${c.words}`;
      li.append(badge, words);
      return li;
    }),
  );
  drawPath(section.querySelector("[data-path]"), path, right);
  section.dataset.state = right ? "proven" : "wrong";
};

if (typeof document !== "undefined")
  document.addEventListener("click", (event) => {
    const section = event.target.closest("[data-verify]")?.closest("[data-proof]");
    if (section) show(section);
  });
