// The Experience Platform client's public face.
export {};
