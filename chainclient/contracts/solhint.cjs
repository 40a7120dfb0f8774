// Few rules, each with its reason. npm run lint applies them; any finding fails.
module.exports = {
  rules: {
    // One compiler: bytecode is committed and compared.
    "compiler-version": ["error", "0.8.37"],
    // Names come from one place, so that a reader finds them.
    "no-global-import": "error",
    "no-unused-import": "error",
    "no-unused-vars": "error",
    // Who can call or see what is said, never implied.
    "func-visibility": ["error", { ignoreConstructors: true }],
    "state-visibility": "error",
    "visibility-modifier-order": "error",
    // Every refusal has a name: clients and tests tell them apart by it.
    "gas-custom-errors": "error",
    // Everything is documented; there are no authors, only contributors.
    "use-natspec": ["error", { author: { enabled: false } }],
    // State changes before calls, and no call that hides its failure.
    reentrancy: "error",
    "avoid-low-level-calls": "error",
    "check-send-result": "error",
    // The sender is msg.sender; phishing needs tx.origin.
    "avoid-tx-origin": "error",
    // The compiler checks what assembly does not.
    "no-inline-assembly": "error",
    // A block that does nothing on purpose says so where it stands.
    "no-empty-blocks": "error",
    // Constants and immutables look alike: both are fixed.
    "const-name-snakecase": "error",
    "immutable-vars-naming": ["error", { immutablesAsConstants: true }],
    "contract-name-capwords": "error",
    "event-name-capwords": "error",
  },
};
