/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * Fills bytes with what a text holds.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} text base64
 * @returns {boolean} false where that is not base64 of so many bytes
 */
export function setFromBase64(bytes, text) {
  try {
    if (bytes.setFromBase64) {
      const { read, written } = bytes.setFromBase64(text);
      return read === text.length && written === bytes.length;
    }
    const all = fromBase64(text);
    bytes.set(all);
    return all.length === bytes.length;
  } catch {
    return false;
  }
}
