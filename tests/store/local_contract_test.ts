import { testStoreContract } from "./contract.ts";
import { StoreFolder } from "./store_folder.ts";

testStoreContract("local store", () => new StoreFolder());
