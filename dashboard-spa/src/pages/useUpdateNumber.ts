/** Changes a number; its page shows the answer at once, the lists ask again. */
import { useQueryClient } from "@tanstack/react-query";
import * as queries from "../api/queries";
import { updatePhoneNumber } from "../client/sdk.gen";
import type { PhoneNumber, PhoneNumberUpdate } from "../client/types.gen";

export function useUpdateNumber(sid: string): (body: PhoneNumberUpdate) => Promise<PhoneNumber> {
  const client = useQueryClient();
  return async (body) => {
    const updated = await updatePhoneNumber({ path: { sid }, body });
    client.setQueryData(queries.phoneNumber(sid).queryKey, updated);
    void client.invalidateQueries({ queryKey: ["phone_numbers", "list"] });
    return updated;
  };
}
