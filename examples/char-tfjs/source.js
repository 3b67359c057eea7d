/** Where the model's files are, which no package carries. */
export const SOURCE = {
  project: "tfjs-lstm-text-generation, MIT licence",
  address: "https://github.com/reiinakano/tfjs-lstm-text-generation/tree/cb70402763/lstm",
  files: [
    ["model.json", "7f94d561dc680f3f0001b70b76e6f76403ae0b334344d758fe4d0c32154d4196"],
    ["group1-shard1of1", "5912a968e1352225fe27ec15d23589b0aa1a46b9f1cfca704650611b31477107"],
    ["group2-shard1of1", "45fa86c52e49e31aa0247ea3278d7be276fff48cf0bdaffb21d67382634e8e56"],
  ],
};
