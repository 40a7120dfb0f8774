// How the contracts are compiled, here and by forge.
export const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "osaka",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
};
